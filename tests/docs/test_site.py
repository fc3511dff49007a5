"""The site builds strictly, needs no network, and its reference has everything in the code."""

import html
import re
import tomllib
from contextlib import chdir
from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest
from mkdocs.commands.build import build
from mkdocs.config import load_config

import xingu
from tests.docs.pages import PAGES, ROOT, prose
from xingu import DataProvider
from xingu.checks.catalog import built_in_checks
from xingu.config import Settings
from xingu.config.fields import setting_flags, shown_default

HELPERS = {"make_estimator", "is_classifier", "log", "pre_req_model"}
MEMBERS = [name for name in vars(DataProvider) if name[0] != "_" and name not in HELPERS]
LOADED = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src"}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The built site; a link or anchor that leads nowhere, or a page outside of nav, fails here."""
    folder = tmp_path_factory.mktemp("site")
    with chdir(ROOT):  # as `make docs`
        build(load_config(str(ROOT / "mkdocs.yml"), site_dir=str(folder), strict=True))
    return folder


class References(HTMLParser):
    """Collects what a browser loads when it opens a page."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        address = dict(attrs).get(LOADED.get(tag, ""))
        if address and dict(attrs).get("rel") not in ("canonical", "next", "prev"):
            self.found.append(address)


def test_pages_load_nothing_from_another_server(site):
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 30
    external = {
        address
        for page in pages
        for address in References(page.read_text()).found
        if urlsplit(address).netloc
    }
    assert external == set()
    styles = "".join(path.read_text() for path in site.rglob("*.css"))
    assert re.findall(r"(?:@import|url\()\s*['\"]?(?:https?:)?//[^)]*", styles) == []


def test_sources_of_the_generator_are_not_published(site):
    assert not list(site.rglob("*.py"))


@pytest.mark.parametrize("name", MEMBERS)
def test_every_declaration_and_hook_is_in_a_table_and_has_an_entry(site, name):
    page = (site / "reference" / "dataprovider.html").read_text()
    tables, _, entries = page.partition('id="all-members"')
    anchor = f"{DataProvider.__module__}.DataProvider.{name}"
    assert f'href="#{anchor}"' in tables
    assert f'id="{anchor}"' in entries


@pytest.mark.parametrize("name", sorted({*xingu.__all__} - {"__version__"}))
def test_every_public_name_is_in_the_reference(site, name):
    pages = [(site / "reference" / f"{page}.html").read_text() for page in ("dataprovider", "api")]
    assert any(f'id="{getattr(xingu, name).__module__}.{name}"' in page for page in pages)


def test_every_declaration_and_hook_has_a_default_and_a_meaning(site):
    page = (site / "reference" / "dataprovider.html").read_text()
    assert "<td></td>" not in page.partition('id="all-members"')[0]


@pytest.mark.parametrize(
    "page",
    ["reference/dataprovider", "reference/api", "reference/command-line", "how-to/checks"],
)
def test_no_marker_of_generated_text_is_left(site, page):
    text = (site / f"{page}.html").read_text()
    assert not re.search(r"generated:|\{\{ |::: |Sentinel|\\\|", text)


@pytest.mark.parametrize("check", built_in_checks().values(), ids=built_in_checks())
def test_every_check_is_in_a_row_with_assets_severity_and_limits(site, check):
    page = (site / "how-to" / "checks.html").read_text()
    (row,) = re.findall(rf"<tr>\s*<td><code>{check.name}</code></td>.*?</tr>", page, re.DOTALL)
    codes = re.findall(r"<code>(.*?)</code>", row)
    assert {check.name, *map("/".join, check.assets), *check.limits} <= set(codes)
    assert f"<td>{check.severity}{', refuses' if check.refuses else ''}</td>" in row
    assert check.title.split("`")[0] in row
    for default in check.limits.values():
        assert default == () or f"</code> {default:,g}" in row


def test_every_command_and_option_is_in_the_reference(site):
    from xingu_dagster.cli.main import xingu

    page = (site / "reference" / "command-line.html").read_text()

    def names(command, path=()):
        yield " ".join(["xingu", *path])
        shown = [one for one in command.params if not getattr(one, "hidden", False)]
        yield from (option for one in shown for option in one.opts if option[0] == "-")
        for name, child in getattr(command, "commands", {}).items():
            yield from names(child, (*path, name))

    assert [name for name in names(xingu) if name not in page] == []


def test_every_layer_of_the_import_contracts_is_in_the_diagram(site):
    page = (site / "explanation" / "architecture.html").read_text()
    (diagram,) = re.findall(r'<svg class="rooms".*?</svg>', page, re.DOTALL)
    config = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    layers = [layer for one in config["contracts"] for layer in one.get("layers", ())]
    rooms = {room.partition(".")[2] for layer in layers for room in re.findall(r"[\w.]+", layer)}
    assert len(rooms) > 10
    assert {room for room in rooms if f">{room}<" not in diagram} == set()


@pytest.mark.parametrize("page", PAGES)
def test_external_links_have_a_scheme_and_a_host_and_pictures_have_a_text(page):
    targets = re.findall(r"\]\((\w+:[^)\s]*)\)|<(https?:[^>]*)>", prose(page))
    for address in ("".join(target) for target in targets):
        assert urlsplit(address).scheme in ("https", "http")
        assert urlsplit(address).netloc
    assert "![](" not in prose(page)


@pytest.mark.parametrize("page", [page for page in PAGES if not page.startswith("docs/")])
def test_links_of_pages_outside_of_the_site_lead_to_files(page):
    for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", prose(page)):
        assert (PAGES[page].parent / target).exists(), target


def test_settings_are_in_the_tables_with_flags_default_and_meaning(site):
    page = (site / "reference" / "settings.html").read_text()
    rows = {row.partition("</code>")[0]: row for row in page.split("<tr>\n<td><code>")[1:]}
    assert set(rows) == {field.alias for field in Settings.model_fields.values()}
    for field in Settings.model_fields.values():
        row = rows[str(field.alias)]
        assert all(f"<code>{flag}</code>" in row for flag in setting_flags(field))
        assert f"<td><code>{shown_default(field)}</code></td>" in row or not shown_default(field)
        assert html.escape(str(field.description), quote=False) in row
