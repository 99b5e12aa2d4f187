#include "svg_plot.h"

#include <algorithm>
#include <cmath>

#include "html_text.h"

namespace vouch::prove {
namespace {

constexpr double kWidth = 900;
constexpr double kHeight = 230;
constexpr double kLeft = 62;
constexpr double kRight = 12;
constexpr double kTop = 26;
constexpr double kBottom = 30;
constexpr double kNarrowestBand = 1.5;  ///< a fault of a moment is seen too

/// 1, 2 or 5 times a power of ten: what `steps` of cover `most`.
double round_step(double most, double steps) {
  const double rough = std::max(most, 1e-9) / steps;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= rough) return factor * power;
  }
  return 10 * power;
}

std::string label(double value) {
  return decimal(value, value != 0 && std::abs(value) < 1 ? 1 : 0);
}

/// Where values and times lie in the picture.
class Axes {
 public:
  Axes(const Plot& plot, Seconds lasted)
      : logarithmic_(plot.logarithmic), lasted_(std::max(lasted, 1.0)) {
    double least = 1e18;
    for (const PlotLine& line : plot.lines) {
      for (const double value : line.values) {
        most_ = std::max(most_, value);
        if (value > 0) least = std::min(least, value);
      }
    }
    if (logarithmic_) {
      least_ = std::pow(10, std::floor(std::log10(std::min(least, most_))));
      most_ = std::max(std::pow(10, std::ceil(std::log10(most_))), least_ * 10);
    } else {
      step_ = round_step(most_, 4);
      most_ = std::ceil(most_ / step_) * step_;
    }
  }

  [[nodiscard]] double x(Seconds time) const {
    return kLeft + std::clamp(time / lasted_, 0.0, 1.0) * (kWidth - kLeft - kRight);
  }
  [[nodiscard]] double y(double value) const {
    const double part = logarithmic_ ? (std::log10(std::max(value, least_)) - std::log10(least_)) /
                                           (std::log10(most_) - std::log10(least_))
                                     : value / most_;
    return kHeight - kBottom - part * (kHeight - kTop - kBottom);
  }
  [[nodiscard]] std::vector<double> ticks() const {
    std::vector<double> found;
    if (logarithmic_) {
      for (double each = least_; each <= most_ * 1.001; each *= 10) found.push_back(each);
    } else {
      for (double each = 0; each <= most_ * 1.001; each += step_) found.push_back(each);
    }
    return found;
  }
  [[nodiscard]] Seconds lasted() const { return lasted_; }

 private:
  const bool logarithmic_;
  const Seconds lasted_;
  double least_ = 0;
  double most_ = 1;
  double step_ = 1;
};

std::string text_at(double x, double y, const char* anchor, const std::string& text) {
  return "<text x=\"" + decimal(x, 1) + "\" y=\"" + decimal(y, 1) + "\" text-anchor=\"" + anchor +
         "\">" + escape_html(text) + "</text>\n";
}

std::string bands(const Axes& axes, const std::vector<InjectedFault>& faults) {
  std::string out;
  for (const InjectedFault& fault : faults) {
    const double begin = axes.x(fault.began);
    const double width = std::max(axes.x(fault.ended) - begin, kNarrowestBand);
    out += std::string("<rect class=\"") + (is_of_link(fault.fault.kind) ? "link" : "host") +
           "\" x=\"" + decimal(begin, 1) + "\" y=\"" + decimal(kTop, 1) + "\" width=\"" +
           decimal(width, 1) + "\" height=\"" + decimal(kHeight - kTop - kBottom, 1) +
           "\"><title>" + escape_html(fault_name(fault.fault.kind)) + ", " + escape_html(fault.on) +
           ", from " + decimal(fault.began, 1) + " s to " + decimal(fault.ended, 1) +
           " s</title></rect>\n";
  }
  return out;
}

std::string grid(const Axes& axes) {
  std::string out;
  for (const double tick : axes.ticks()) {
    const std::string y = decimal(axes.y(tick), 1);
    out +=
        "<line class=\"grid\" x1=\"" + decimal(kLeft, 1) + "\" x2=\"" + decimal(kWidth - kRight, 1);
    for (const char* key : {"y1", "y2"}) {
      out.append("\" ").append(key).append("=\"").append(y);
    }
    out += "\"/>\n" + text_at(kLeft - 6, axes.y(tick) + 4, "end", label(tick));
  }
  const double step = round_step(axes.lasted(), 8);
  for (double time = 0; time <= axes.lasted(); time += step) {
    out += text_at(axes.x(time), kHeight - kBottom + 16, "middle", label(time) + " s");
  }
  return out;
}

std::string polyline(const Axes& axes, const PlotLine& line) {
  std::string out;
  std::string points;
  const auto end_part = [&] {
    if (!points.empty()) {
      out += "<polyline stroke=\"" + escape_html(line.colour) + "\" points=\"" + points + "\"/>\n";
    }
    points.clear();
  };
  for (std::size_t i = 0; i < line.values.size(); ++i) {
    if (line.gaps && line.values[i] == 0) {
      end_part();
      continue;
    }
    const double middle = std::min(static_cast<double>(i) + 0.5, axes.lasted());
    points += (points.empty() ? "" : " ") + decimal(axes.x(middle), 1) + "," +
              decimal(axes.y(line.values[i]), 1);
  }
  end_part();
  return out;
}

}  // namespace

std::string svg_plot(const Plot& plot, const std::vector<InjectedFault>& faults, Seconds lasted) {
  const Axes axes(plot, lasted);
  std::string out = "<svg viewBox=\"0 0 " + decimal(kWidth, 0) + " " + decimal(kHeight, 0) +
                    "\" role=\"img\" aria-label=\"" + escape_html(plot.title) + "\">\n";
  out += bands(axes, faults) + grid(axes);
  double legend = kLeft;
  for (const PlotLine& line : plot.lines) {
    out += polyline(axes, line);
    out += "<line stroke=\"" + escape_html(line.colour) + "\" stroke-width=\"2\" x1=\"" +
           decimal(legend, 1) + "\" x2=\"" + decimal(legend + 18, 1) + "\" y1=\"12\" y2=\"12\"/>\n";
    out += text_at(legend + 24, 16, "start", line.name);
    legend += 50 + 8 * static_cast<double>(line.name.size());
  }
  out += text_at(kWidth - kRight, 16, "end", plot.unit);
  return out + "</svg>\n";
}

}  // namespace vouch::prove
