"""HTML of single figures."""

import base64
import json

import plotly.graph_objects as go
import pytest

from xingu.errors import HookError
from xingu.plots.pages import (
    element,
    figure_json,
    matplotlib_picture,
    page,
    plotly_script,
    plotly_script_in_json,
)

HOSTILE = "</script><script>alert(1)</script>"


class Painted:
    """What a matplotlib figure offers; the file holds the format that was asked for."""

    def savefig(self, file, **options):
        file.write(options["format"].encode())


@pytest.fixture
def figure():
    return go.Figure(go.Scatter(y=[1, 2]), {"title": {"text": HOSTILE}})


def test_the_json_of_a_figure_can_be_read_again(figure):
    assert json.loads(figure_json("a", figure))["layout"]["title"]["text"] == HOSTILE


def test_a_matplotlib_figure_has_no_json():
    assert figure_json("a", Painted()) is None


def test_what_is_no_figure_is_refused_with_its_name():
    with pytest.raises(HookError, match="Plot 'a' is a list; a plot is a plotly or a matplotlib"):
        figure_json("a", [])


def test_a_page_has_one_script_of_plotly_and_one_that_draws(figure):
    whole = b"".join(page("a", figure, figure_json("a", figure))).decode()
    assert whole.startswith("<!DOCTYPE html>")
    assert whole.count(plotly_script().decode()) == 1
    assert whole.count('Plotly.newPlot("figure",f)') == 1


def test_the_page_of_a_picture_has_no_script():
    whole = b"".join(page("a", Painted(), None)).decode()
    assert "<script" not in whole
    assert base64.b64encode(b"png").decode() in whole


def test_pages_share_plotly_and_do_not_copy_it(figure):
    pieces = [page("a", figure, figure_json("a", figure)) for _ in range(2)]
    assert any(one is plotly_script() for one in pieces[0])
    assert any(one is plotly_script() for one in pieces[1])


@pytest.mark.parametrize("json_text", [None, "{}"])
def test_no_name_becomes_html(json_text):
    painted = Painted()
    assert HOSTILE not in element("figure", HOSTILE, painted, json_text)
    assert HOSTILE.encode() not in b"".join(page(HOSTILE, painted, json_text))


def test_no_label_ends_the_script(figure):
    assert "</script><script>" not in element("figure", "a", figure, figure_json("a", figure))


def test_an_element_has_the_id_and_the_style_that_it_is_given(figure):
    made = element("figure-7", "a", figure, "{}", "height:300px")
    assert made.startswith('<div id="figure-7" class="figure" style="height:300px">')
    assert 'newPlot("figure-7"' in made


def test_plotly_inside_json_is_plotly_after_decoding():
    assert json.loads(b'"' + plotly_script_in_json() + b'"') == plotly_script().decode()


@pytest.mark.parametrize("kind", ["png", "svg"])
def test_a_matplotlib_figure_is_saved_in_the_requested_format(kind):
    assert matplotlib_picture(Painted(), kind) == kind.encode()
