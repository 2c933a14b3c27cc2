"""The report in a real browser."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from territory.maps import write_report

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
from selenium.webdriver.chrome.service import Service  # noqa: E402 - after the skip
from selenium.webdriver.common.action_chains import ActionChains  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.support.ui import Select, WebDriverWait  # noqa: E402

pytestmark = pytest.mark.browser

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver") or shutil.which("chromium.chromedriver")
EVIL = "</script><script>document.title='broken'</script><img src=x onerror=document.title='broken'>"


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    if CHROMIUM is None or DRIVER is None:
        pytest.skip("chromium and its driver are not installed (apt-get install chromium chromium-driver)")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    profile = tmp_path_factory.mktemp("profile")
    for flag in (
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--window-size=1400,1000",
        f"--user-data-dir={profile}",
    ):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture
def page(browser, tmp_path):
    def opened(plan, fragment=""):
        path = write_report(plan, tmp_path / "plan.html")
        browser.get("about:blank")
        browser.get_log("browser")
        browser.get_log("performance")
        browser.get(path.as_uri() + fragment)
        WebDriverWait(browser, 10).until(lambda d: d.find_element(By.ID, "map-legend").text)
        return browser

    yield opened
    assert browser.get_log("browser") == []


def texts(driver, css):
    return [e.text for e in driver.find_elements(By.CSS_SELECTOR, css)]


def pixels(driver):
    """How many colours stand in the map, and a fingerprint of it, once it is painted."""
    return driver.execute_async_script(
        """const done = arguments[0], c = document.getElementById('map');
        requestAnimationFrame(() => requestAnimationFrame(() => {
          const copy = document.createElement('canvas');
          copy.width = c.width;
          copy.height = c.height;
          const pen = copy.getContext('2d', { willReadFrequently: true }), seen = new Set();
          pen.drawImage(c, 0, 0);
          const d = pen.getImageData(0, 0, c.width, c.height).data;
          let sum = 0;
          for (let i = 0; i < d.length; i += 4) {
            const v = d[i] * 65536 + d[i + 1] * 256 + d[i + 2];
            seen.add(v);
            sum = (sum * 31 + v) % 1000000007;
          }
          done([seen.size, sum]);
        }));"""
    )


def test_opens_without_asking_the_network(plan, page):
    driver = page(plan)
    events = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    urls = [e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"]
    assert all(url.startswith(("file:", "data:")) for url in urls)
    assert len([url for url in urls if url.startswith("file:")]) == 1
    assert driver.execute_script("return performance.getEntriesByType('resource').length") == 0
    refused = driver.execute_async_script(
        "const done = arguments[0]; fetch('data:,x').then(() => done(false), () => done(true));"
    )
    assert refused
    driver.get_log("browser")  # the refusal is in the log
    assert driver.title == "Field plan from 2026-01-05"
    assert driver.find_element(By.ID, "title").text == "5 Jan – 11 Jan 2026"
    assert pixels(driver)[0] > 20


def test_a_click_on_the_map_chooses_a_territory(plan, page):
    driver = page(plan)
    canvas = driver.find_element(By.ID, "map")
    before = pixels(driver)[1]
    ActionChains(driver).move_to_element_with_offset(canvas, 20, 10).click().perform()
    chosen = driver.find_element(By.CSS_SELECTOR, "#areas tr.chosen .link").text
    assert driver.find_element(By.ID, "panel-head").text.startswith(chosen + " · ")
    assert pixels(driver)[1] != before
    canvas.send_keys(Keys.ESCAPE)
    assert driver.find_element(By.ID, "panel-head").text == "The whole team"
    assert pixels(driver)[1] == before


def test_a_rep_and_a_day_draw_the_route_and_its_sheet(plan, page):
    row = int(np.flatnonzero(plan.routes.break_s > 0)[0])
    r, day = int(plan.routes.rep_idx[row]), plan.routes.day[row]
    route = plan.route(plan.reps.id[r], day)
    driver = page(plan)
    Select(driver.find_element(By.ID, "pick-area")).select_by_visible_text(f"T{r:02d} · Rep {r}")
    without = pixels(driver)[1]
    driver.find_element(
        By.CSS_SELECTOR, f"#calendar button[data-day='{(day - plan.settings.start).astype(int)}']"
    ).click()
    assert pixels(driver)[1] != without
    names = plan.customers.name[route.stops.customer_idx].tolist()
    assert texts(driver, "#sheet tr[data-stop] bdi:first-child") == names
    assert texts(driver, "#sheet .pin") == [str(i + 1) for i in range(len(names))]
    first = str(route.stops.arrival[0])[11:16]
    assert texts(driver, "#sheet tr[data-stop] td:nth-child(2)")[0] == first
    assert "Break" in driver.find_element(By.ID, "sheet").text
    assert driver.find_element(By.ID, "where").text.startswith(f"{len(names)} visits, ")
    # the address remembers what is shown
    again = page(plan, driver.execute_script("return location.hash"))
    assert texts(again, "#sheet tr[data-stop] bdi:first-child") == names
    again.find_element(By.ID, "clear").click()
    assert again.find_elements(By.CSS_SELECTOR, "#sheet tr[data-stop]") == []


def test_a_day_alone_lists_the_routes_of_everybody(plan, page):
    driver = page(plan)
    Select(driver.find_element(By.ID, "pick-day")).select_by_visible_text("Wed 7 Jan")
    day = plan.day("2026-01-07")
    assert len(texts(driver, "#sheet tbody tr")) == len(day.routes)
    driver.find_element(By.CSS_SELECTOR, "#sheet .link").click()
    assert driver.find_elements(By.CSS_SELECTOR, "#sheet tr[data-stop]")


def test_the_table_sorts_both_ways(plan, page):
    driver = page(plan)
    heads = driver.find_elements(By.CSS_SELECTOR, "#areas thead th")
    n = texts(driver, "#areas thead th").index("Customers")
    column = f"#areas tbody td:nth-child({n + 1})"
    heads[n].find_element(By.TAG_NAME, "button").click()
    counts = np.bincount(plan.alignment.territory_idx, minlength=8)
    assert [int(t) for t in texts(driver, column)] == sorted(counts.tolist(), reverse=True)
    assert heads[n].get_attribute("aria-sort") == "descending"
    heads[n].find_element(By.TAG_NAME, "button").send_keys(Keys.ENTER)
    assert [int(t) for t in texts(driver, column)] == sorted(counts.tolist())


def test_the_team_calendar_works_with_the_keyboard(plan, page):
    driver = page(plan)
    inside = driver.find_elements(By.CSS_SELECTOR, "#team td button[tabindex='0']")
    assert len(inside) == 1
    inside[0].send_keys(Keys.ARROW_DOWN, Keys.NULL)
    driver.switch_to.active_element.send_keys(Keys.ARROW_RIGHT)
    cell = driver.switch_to.active_element
    assert (cell.get_attribute("data-area"), cell.get_attribute("data-day")) == ("1", "1")
    assert "off" in cell.get_attribute("aria-label")
    cell.send_keys(Keys.ARROW_RIGHT)
    driver.switch_to.active_element.send_keys(Keys.ENTER)
    assert driver.find_element(By.ID, "panel-head").text == "T01 · Rep 1"
    assert driver.find_elements(By.CSS_SELECTOR, "#sheet tr[data-stop]")


def test_what_is_not_planned_is_filtered_by_reason(plan, page):
    driver = page(plan)
    chips = driver.find_elements(By.CSS_SELECTOR, "#reasons button")
    reasons = plan.unassigned.reason.tolist()
    assert chips[0].text == f"All {len(reasons)}"
    driver.execute_script("arguments[0].click()", chips[1])
    shown = texts(driver, "#unplanned tbody td:nth-child(4)")
    assert shown == [reasons[0]] * reasons.count(reasons[0])
    assert driver.find_element(By.CSS_SELECTOR, "#reasons [aria-pressed='true']").text.startswith(reasons[0])


def test_names_with_script_are_text(rng, build, page):
    make_customers, make_alignment, make_plan = build
    customers = make_customers(40, rng=rng, name=[f"{EVIL}{i}" for i in range(40)])
    alignment = make_alignment(customers, 2, rng=rng)
    plan = make_plan(replace(alignment, territory_id=[EVIL, f"{EVIL} 2"]), per_day=3)
    driver = page(plan, "#a=0&d=2")
    assert driver.title == "Field plan from 2026-01-05"
    assert driver.find_element(By.ID, "panel-head").text.startswith(EVIL)
    assert all(EVIL in name for name in texts(driver, "#sheet tr[data-stop] bdi:first-child"))
    assert driver.execute_script("return document.querySelectorAll('img').length") == 0


def test_sheets_are_printed_alone(plan, page):
    driver = page(plan, "#a=2")
    driver.execute_script(
        "window.print = () => { window.printed = document.querySelectorAll('#print article').length; }"
    )
    driver.find_element(By.CSS_SELECTOR, "#sheet .sheet-tools button").click()
    days = len(plan.rep("R02").routes)
    assert driver.execute_script("return window.printed") == days
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    assert not driver.find_element(By.ID, "page").is_displayed()
    assert driver.find_element(By.ID, "print").is_displayed()
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    driver.execute_script("window.dispatchEvent(new Event('afterprint'))")
    assert driver.find_element(By.ID, "page").is_displayed()


@pytest.mark.parametrize("fragment", ["", "#a=0", "#a=0&d=0", "#a=99&d=-3", "#d=x"])
def test_plans_without_alignment_and_without_stops(plan, page, fragment):
    bare = replace(
        plan,
        alignment=None,
        stops=plan.stops.take([]),
        routes=plan.routes.take([]),
        unassigned=plan.unassigned.take([]),
    )
    driver = page(bare, fragment)
    assert "is planned" in driver.find_element(By.ID, "unplanned").text
    assert pixels(driver)[0] > 3


def test_nothing_is_cut_off_on_a_telephone(plan, page):
    driver = page(plan, "#a=1&d=2")
    driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": 390, "height": 800, "deviceScaleFactor": 2, "mobile": True}
    )
    assert driver.execute_script("return document.documentElement.scrollWidth") <= 390
    driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_a_territory_without_a_rep_and_a_rep_without_a_territory(plan, page):
    alignment = replace(plan.alignment, rep_idx=np.array([0, 1, 2, -1, 4, 5, 6, 7], dtype=np.int32))
    driver = page(replace(plan, alignment=alignment), "#a=3")
    assert driver.find_element(By.ID, "panel-head").text == "T03"
    assert driver.find_element(By.ID, "sheet").text == "No rep serves this territory."
    driver = page(replace(plan, alignment=alignment), "#a=8&d=0")
    assert driver.find_element(By.ID, "panel-head").text == "Rep 3"
    assert driver.find_elements(By.CSS_SELECTOR, "#sheet tr[data-stop]")


def test_the_map_moves_by_keyboard_and_buttons(plan, page):
    driver = page(plan)
    seen = [pixels(driver)[1]]
    canvas = driver.find_element(By.ID, "map")
    for key in (Keys.ARROW_LEFT, "+", "-", "0"):
        canvas.send_keys(key)
        seen.append(pixels(driver)[1])
    assert seen[-1] == seen[0]
    assert len(set(seen)) == len(seen) - 1 - (seen[1] == seen[3])
    driver.find_element(By.ID, "zoom-in").click()
    assert pixels(driver)[1] != seen[0]
    driver.find_element(By.ID, "zoom-fit").click()
    assert pixels(driver)[1] == seen[0]


def test_single_visits_are_listed_apart(promised, plan, page):
    driver = page(promised)
    lines = [row.split("\n") for row in texts(driver, "#singles tbody tr")]
    assert len(lines) == 6
    text = " ".join(texts(driver, "#singles tbody td"))
    assert "Tue 6 Jan, 10:00" in text
    assert "R0, R1" in text
    assert "not planned: blocked" in text
    assert "Smallest change: " in text
    assert promised.customers.name[0] in text, "as text, whatever is in it"
    Select(driver.find_element(By.ID, "pick-area")).select_by_visible_text("R1")
    assert len(texts(driver, "#singles tbody tr")) == 4
    assert not page(plan).find_element(By.ID, "singles-card").is_displayed()
