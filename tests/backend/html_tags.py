"""The tags of an HTML page."""

from html.parser import HTMLParser


class HtmlTags(HTMLParser):
    """Counts the tags of a page; `open` holds those that are not closed."""

    def __init__(self):
        super().__init__()
        self.open, self.count = [], {}

    def handle_starttag(self, tag, attrs):
        self.count[tag] = self.count.get(tag, 0) + 1
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag
