"""HTML of single figures."""

import base64
import json
import re

import plotly.graph_objects as go
import pytest

from xingu.errors import HookError
from xingu.plots.pages import content_of, element, matplotlib_picture, page

HOSTILE = "</script><script>alert(1)</script>"


class Painted:
    """What a matplotlib figure offers; the file holds the format that was asked for."""

    def savefig(self, file, **options):
        file.write(options["format"].encode())


@pytest.fixture
def figure():
    return go.Figure(go.Scatter(y=[1, 2]), {"title": {"text": HOSTILE}})


def test_the_json_of_a_figure_can_be_read_again(figure):
    assert json.loads(content_of("a", figure))["layout"]["title"]["text"] == HOSTILE


def test_a_matplotlib_figure_is_a_picture():
    assert content_of("a", Painted()) == b"png"


def test_what_is_no_figure_is_refused_with_its_name():
    with pytest.raises(HookError, match="Plot 'a' is a list; a plot is a plotly or a matplotlib"):
        content_of("a", [])


def test_a_page_has_the_address_of_plotly_and_the_figure(figure):
    whole = page("a", content_of("a", figure), "../plotly.js").decode()
    assert whole.startswith("<!DOCTYPE html>")
    assert whole.count('<script src="../plotly.js"></script>') == 1
    [held] = re.findall(r'<script type="application/json">(.*?)</script>', whole)
    assert json.loads(held) == json.loads(figure.to_json())


def test_the_page_of_a_picture_has_the_picture():
    assert base64.b64encode(b"png").decode() in page("a", b"png", "plotly.js").decode()


@pytest.mark.parametrize("content", [b"png", "{}", '{"a":"</script><script>alert(1)</script>"}'])
def test_no_name_and_no_label_becomes_html(content):
    assert HOSTILE not in element("figure", HOSTILE, content)
    assert HOSTILE.encode() not in page(HOSTILE, content, "plotly.js")


def test_an_element_has_the_id_and_the_height_that_it_is_given():
    made = element("figure-7", "a", "{}", 1110)
    assert made.startswith('<figure class="xingu-plot xingu-wide" id="figure-7" style="height:1110')
    assert 'class="xingu-plot" id="figure-8">' in element("figure-8", "a", "{}")


@pytest.mark.parametrize("kind", ["png", "svg"])
def test_a_matplotlib_figure_is_saved_in_the_requested_format(kind):
    assert matplotlib_picture(Painted(), kind) == kind.encode()
