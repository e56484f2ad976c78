"""A page as a tree, and the rules that every page of the portal keeps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"})
_FIELDS = frozenset({"input", "select", "textarea"})


@dataclass(slots=True)
class Element:
    """One element with its attributes, children and texts."""

    name: str
    attributes: dict[str, str]
    children: list[Element | str] = field(default_factory=list)

    def all(self, *names: str) -> Iterator[Element]:
        """Every element below this one, or those of these names, in order."""
        for child in self.children:
            if isinstance(child, Element):
                if not names or child.name in names:
                    yield child
                yield from child.all(*names)

    def one(self, name: str) -> Element:
        """The only element of this name."""
        (element,) = self.all(name)
        return element

    @property
    def text(self) -> str:
        """All text within, white space folded."""
        parts = (child if isinstance(child, str) else child.text for child in self.children)
        return " ".join(" ".join(parts).split())

    def __getitem__(self, attribute: str) -> str:
        return self.attributes.get(attribute, "")


class _Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("", {})
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"<{tag}> repeats an attribute: {names}"
        element = Element(tag, {name: value if value is not None else "" for name, value in attrs})
        self.open[-1].children.append(element)
        if tag not in _VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert tag == self.open[-1].name, f"</{tag}> closes <{self.open[-1].name}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


def parse(markup: str) -> Element:
    """The document; fails where an element is closed by another's end tag or not at all."""
    builder = _Builder()
    builder.feed(markup)
    builder.close()
    assert builder.open == [builder.root], f"<{builder.open[-1].name}> is never closed"
    return builder.root


def check_page(page: Element) -> None:
    """The rules of every page: named, one heading, labelled fields, unique ids, nothing inline, forms with tokens."""
    assert page.one("html")["lang"] == "en"
    assert page.one("title").text.removesuffix("· Berth").strip(), "the page has no title"
    headings = [heading.text for heading in page.all("h1")]
    assert len(headings) == 1, f"a page has one h1, this one: {headings}"
    assert headings[0], "the h1 is empty"
    _check_ids(page)
    _check_nothing_inline(page)
    _check_names(page)
    _check_forms(page)


def _check_ids(page: Element) -> None:
    ids = Counter(element["id"] for element in page.all() if "id" in element.attributes)
    assert [name for name, count in ids.items() if count > 1] == [], "ids are unique"
    for attribute in ("for", "popovertarget", "aria-labelledby", "aria-describedby", "aria-controls"):
        for element in page.all():
            missing = set(element[attribute].split()) - ids.keys()
            assert not missing, f"<{element.name} {attribute}> names {missing}, which are not on the page"


def _check_nothing_inline(page: Element) -> None:
    """What the content security policy would refuse."""
    assert not list(page.all("style")), "no <style>: write it in a component's style sheet"
    for script in page.all("script"):
        assert script["src"].startswith("/"), "no inline script"
    for element in page.all():
        banned = [name for name in element.attributes if name == "style" or name.startswith("on")]
        assert not banned, f"<{element.name}> has {banned}"
        for attribute in ("src", "href"):
            assert not element[attribute].startswith(("data:", "javascript:", "http:", "https:")), element[attribute]


def _check_names(page: Element) -> None:
    """Everything that can be used can be named aloud."""
    labelled = {label["for"] for label in page.all("label")}
    for element in page.all(*_FIELDS):
        if element["type"] != "hidden":
            assert element["id"] in labelled or element["aria-label"], f"the field {element['name']} has no label"
    for element in page.all("button", "a"):
        assert element.text or element["aria-label"], f"a <{element.name}> has no name: {element.attributes}"
    for button in page.all("button"):
        assert button["type"] in {"button", "submit"}, f"the button {button.text} needs a type"
    for link in page.all("a"):
        assert "href" in link.attributes, f"the link {link.text} goes nowhere"
    for table in page.all("table"):
        assert table.one("caption").text, "a table needs a caption"


def _check_forms(page: Element) -> None:
    for form in page.all("form"):
        names = {element["name"] for element in form.all("input")}
        is_post = form["method"] == "post"
        assert is_post == ("csrf_token" in names), (
            f"the form to {form['action'] or 'itself'}: POST with a token, GET without"
        )
