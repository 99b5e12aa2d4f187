"""Line charts as SVG: one look for all. No background of its own, so that it reads on paper and on
a dark page; lines differ by dash and marker as well as by colour."""

import dataclasses
import math
from html import escape

WIDTH, HEIGHT = 400, 300  # of a panel
LEFT, RIGHT, TOP, BOTTOM = 64, 14, 34, 46
LEGEND_LINE = 20
#: Class, dashes.
LOOKS = [("a", ""), ("b", "7 4"), ("c", "2 3"), ("d", "9 3 2 3"), ("e", "4 2"), ("f", "12 4")]
STYLE = """\
text { font: 12px system-ui, sans-serif; fill: #24292f }
.title { font-size: 14px; font-weight: 600 }
.grid { stroke: #d0d7de; stroke-width: 1 }
.line, .reach { fill: none; stroke-width: 2 } .reach { stroke-width: 1 }
.a { stroke: #0550ae } .b { stroke: #bc4c00 } .c { stroke: #57606a }
.d { stroke: #1a7f37 } .e { stroke: #8250df } .f { stroke: #a40e26 }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 } .grid { stroke: #3d444d }
.a { stroke: #79c0ff } .b { stroke: #ffa657 } .c { stroke: #9198a1 }
.d { stroke: #56d364 } .e { stroke: #d2a8ff } .f { stroke: #ff7b72 }
}
@media print { text { fill: #000 } .grid { stroke: #bbb } }"""


@dataclasses.dataclass
class Line:
    """A point for each label of the panel: median, least, most; None where nothing was measured."""

    name: str
    points: list[tuple[float, float, float] | None]


@dataclasses.dataclass
class Panel:
    title: str
    unit: str
    labels: list[str]
    under: str  # what the labels are
    lines: list[Line]


def ticks(most: float) -> list[float]:
    """From 0 to at least `most`, in four to six round steps."""
    if most <= 0:
        return [0, 1]
    rough = most / 5
    power = 10 ** math.floor(math.log10(rough))
    step = next(round_one * power for round_one in (1, 2, 2.5, 5, 10)
                if round_one * power >= rough * 0.999)
    return [step * i for i in range(math.ceil(most / step - 1e-9) + 1)]


def number(value: float) -> str:
    if value >= 1_000_000:
        return f"{value / 1e6:g}M"
    if value >= 10_000:
        return f"{value / 1e3:g}k"
    return f"{value:g}" if value < 1 else f"{value:,.10g}"


def chart(panels: list[Panel], title: str) -> str:
    """Panels side by side; lines of the same name look the same in all, and stand in one legend."""
    names = list(dict.fromkeys(line.name for panel in panels for line in panel.lines))
    legend = math.ceil(len(names) / 2) * LEGEND_LINE + 10
    width, height = WIDTH * len(panels), HEIGHT + legend
    looks = {name: LOOKS[at % len(LOOKS)] for at, name in enumerate(names)}
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
             f'width="{width}" height="{height}" role="img">',
             f"<title>{escape(title)}</title>", f"<style>{STYLE}</style>"]
    for at, panel in enumerate(panels):
        parts.append(f'<g transform="translate({at * WIDTH} 0)">')
        parts += _panel(panel, looks)
        parts.append("</g>")
    for at, name in enumerate(names):
        x = LEFT + at % 2 * (width - LEFT) / 2
        y = HEIGHT + 12 + at // 2 * LEGEND_LINE
        look, dashes = looks[name]
        parts.append(f'<line class="line {look}" stroke-dasharray="{dashes}" x1="{x:.0f}" '
                     f'y1="{y}" x2="{x + 32:.0f}" y2="{y}"/>')
        parts.append(f'<text x="{x + 40:.0f}" y="{y + 4}">{escape(name)}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _panel(panel: Panel, looks: dict) -> list[str]:
    most = max((point[2] for line in panel.lines for point in line.points if point), default=0)
    steps = ticks(most)
    inner_width, inner_height = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def x_of(at: int) -> float:
        return LEFT + inner_width * (at + 0.5) / len(panel.labels)

    def y_of(value: float) -> float:
        return TOP + inner_height * (1 - value / steps[-1])

    parts = [f'<text class="title" x="{LEFT}" y="18">{escape(panel.title)}</text>',
             f'<text x="{WIDTH - RIGHT}" y="18" text-anchor="end">{escape(panel.unit)}</text>']
    for step in steps:
        y = y_of(step)
        parts.append(f'<line class="grid" x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" '
                     f'y2="{y:.1f}"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">'
                     f"{number(step)}</text>")
    for at, label in enumerate(panel.labels):
        parts.append(f'<text x="{x_of(at):.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">'
                     f"{escape(label)}</text>")
    parts.append(f'<text x="{LEFT + inner_width / 2:.0f}" y="{HEIGHT - BOTTOM + 36}" '
                 f'text-anchor="middle">{escape(panel.under)}</text>')
    for line in panel.lines:
        look, dashes = looks[line.name]
        found = [(x_of(at), point) for at, point in enumerate(line.points) if point]
        if not found:
            continue
        path = " ".join(f"{x:.1f},{y_of(point[0]):.1f}" for x, point in found)
        parts.append(f'<polyline class="line {look}" stroke-dasharray="{dashes}" points="{path}"/>')
        for x, (middle, low, high) in found:
            parts.append(f'<line class="reach {look}" x1="{x:.1f}" y1="{y_of(low):.1f}" '
                         f'x2="{x:.1f}" y2="{y_of(high):.1f}"/>')
            parts.append(f'<circle class="line {look}" cx="{x:.1f}" cy="{y_of(middle):.1f}" '
                         'r="3"/>')
    return parts
