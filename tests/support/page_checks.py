"""A page taken apart by a parser that knows nothing of how it was made."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "input", "br", "link", "img"}
TAGS = {
    *(
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "header",
        "nav",
        "main",
        "footer",
        "section",
        "article",
        "script",
    ),
    *("h1", "h2", "h3", "h4", "p", "a", "b", "small", "span", "div", "ul", "li", "dl", "dt", "dd", "code", "pre"),
    *("table", "thead", "tbody", "tfoot", "tr", "th", "td", "figure", "figcaption", "details", "summary", "ins", "del"),
    *("button", "label", "input", "select", "option", "fieldset", "legend", "video"),
    *("svg", "line", "polyline", "circle", "rect", "path", "text", "tspan"),
}
"""All that the templates use."""


@dataclass
class Page(HTMLParser):
    """`elements` are (tag, attributes) in order; `text` is what stands between them, style and script left out."""

    elements: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    scripts: list[str] = field(default_factory=list)
    open: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag, f"</{tag}> does not close the innermost element"

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "script":
            self.scripts.append(data)
        elif not (self.open and self.open[-1] == "style"):
            self.texts.append(data)

    @property
    def text(self) -> str:
        return "".join(self.texts)

    @property
    def ids(self) -> list[str]:
        return [attributes["id"] for _, attributes in self.elements if "id" in attributes]

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


def parse(html: str) -> Page:
    """Take a page apart; fails where elements are not closed in order."""
    page = Page()
    page.feed(html)
    page.close()
    assert page.open == []
    return page


def check(html: str) -> Page:
    """What holds for every page: known elements only, no address but its own, unique ids, every drawing has words."""
    page = parse(html)
    assert {tag for tag, _ in page.elements} <= TAGS
    assert len(page.ids) == len(set(page.ids))
    for tag, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on") or name == "style"], (tag, attributes)
        for name in ("src", "poster", "action", "srcset", "data", "xlink:href"):
            assert attributes.get(name, "data:").startswith("data:"), (tag, attributes)
        href = attributes.get("href", "")
        if href.startswith("#"):
            assert href[1:] in page.ids, href
        else:
            assert ":" not in href, href
    for drawing in page.all("svg"):
        assert drawing.get("aria-label") or drawing.get("aria-hidden") == "true", drawing
    return page
