"""A check that the tags of a page are balanced."""

from html.parser import HTMLParser


class Tags(HTMLParser):
    """The tags of a page, and whether each is closed."""

    def __init__(self):
        super().__init__()
        self.open, self.count = [], {}

    def handle_starttag(self, tag, attrs):
        self.count[tag] = self.count.get(tag, 0) + 1
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag
