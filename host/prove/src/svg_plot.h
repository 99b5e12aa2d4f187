// SvgPlot: lines over the seconds of a run, with its faults as bands behind them. One thread.
#pragma once

#include <string>
#include <vector>

#include "prove/report.h"

namespace vouch::prove {

struct PlotLine {
  std::string name;
  std::string colour;
  std::vector<double> values;  ///< one for each second
  bool gaps = false;           ///< zero means that there is no value
};

struct Plot {
  std::string title;
  std::string unit;
  std::vector<PlotLine> lines;
  bool logarithmic = false;
};

/// An <svg> element.
std::string svg_plot(const Plot& plot, const std::vector<InjectedFault>& faults, Seconds lasted);

}  // namespace vouch::prove
