"""Cards for notebooks: what they leave out, and that they can be read on any background."""

import json
import re
from datetime import datetime, timedelta, timezone

import pytest

from tests.support.browser import rendered
from xingu.cards import card, facts, folded, minute, paragraph, table

# Contrast of each element with a text of its own, with its opacity, against the page.
CONTRASTS = """<script>
const numbers = text => text.match(/-?[\\d.]+(e-?\\d+)?/g).map(Number);
const rgba = text => {
  const [r, g, b, a = 1] = numbers(text.replace("color(srgb", ""));
  const scale = text.startsWith("color(") ? 1 : 255;
  return [r / scale, g / scale, b / scale, a];
};
const linear = c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
const light = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
const page = rgba(getComputedStyle(document.body).backgroundColor);
const found = {};
for (const one of document.querySelectorAll(".xingu-card *")) {
  const text = [...one.childNodes].filter(n => n.nodeType === 3).map(n => n.data.trim()).join("");
  if (!text || one.tagName === "STYLE") continue;
  const color = rgba(getComputedStyle(one).color);
  let alpha = color[3];
  for (let at = one; at; at = at.parentElement) alpha *= getComputedStyle(at).opacity;
  const seen = color.slice(0, 3).map((c, i) => alpha * c + (1 - alpha) * page[i]);
  const [dark, bright] = [light(seen), light(page)].sort((a, b) => a - b);
  found[text] = (bright + 0.05) / (dark + 0.05);
}
document.body.innerHTML = "<pre>" + JSON.stringify(found) + "</pre>";
</script>"""
MARKS = (
    '<table class="xingu-table"><tr><th class="of">a set</th></tr><tr><td>RMSE</td><td class="n">1'
    ' <i class="better">up</i><i class="worse">down</i><i>same</i></td></tr></table>'
)


@pytest.mark.parametrize(
    "page", ["background:#fff;color:#000000de", "background:#111;color:#ffffffde",
             "background:#1e1e1e;color:#ccc"], ids=["light", "dark", "grey"],
)  # fmt: skip
def test_every_text_has_the_contrast_of_normal_text_in_light_and_dark_themes(
    browser, tmp_path, page
):
    parts = [paragraph("about"), facts({"name": "value"}), table(["head"], [["cell"]]), MARKS]
    shown = card("Kind", "title", "note", parts)
    (tmp_path / "card.html").write_text(f'<body style="{page}">{shown}{CONTRASTS}')
    written = rendered(browser, f"file://{tmp_path}/card.html")
    [found] = re.findall("<pre>(.*)</pre>", written)
    contrasts = json.loads(found)
    assert {"Kind", "title", "note", "value", "cell", "up", "down", "same", "a set"} <= {*contrasts}
    assert {text: value for text, value in contrasts.items() if value < 4.5} == {}


def test_texts_are_escaped_and_secrets_are_masked():
    secret = "postgresql://ana:s3cret-word@host/db"
    parts = [
        paragraph("<b>"),
        facts({"<i>": secret}),
        table(["<u>"], [["<s>"]]),
        folded("<q>", "x"),
    ]
    shown = card("<p>", "<h1>", "<h2>", parts)
    body = shown.partition("</style>")[2]
    assert "s3cret-word" not in shown
    for name in ("b", "i", "u", "s", "q", "p", "h1", "h2"):
        assert body.count(f"&lt;{name}&gt;") == 1
    assert not re.search("<(i|u|s|q|h1|h2)>", body)


def test_a_card_has_no_script_and_no_address():
    shown = card("Model", "homes", "", [facts({"a": 1})])
    assert "<script" not in shown
    assert not re.search(r"https?:|url\(|@import|src=|href=", shown)


def test_what_is_empty_is_left_out():
    assert facts({"a": None, "b": ""}) == table(["a"], []) == table(["a"], [[""]]) == ""
    assert folded("nothing", "") == paragraph("") == ""
    shown = table(["a", "b"], [["", 0], ["", 1]])
    assert re.findall("<t[hd]>(.*?)<", shown) == ["b", "0", "1"]
    assert facts({"zero": 0, "no": False}).count("<tr>") == 2


def test_times_are_those_of_utc():
    east = timezone(timedelta(hours=2))
    assert minute(datetime(2026, 1, 31, 1, 30, tzinfo=east)) == "2026-01-30 23:30 UTC"
