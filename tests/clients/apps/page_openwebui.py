"""Asks in a page of Open WebUI, in a real browser: each question in one chat, one after another. Prints what the page says.

UI=http://... MODEL=fusion/gated python page_openwebui.py EXPECTED QUESTION [EXPECTED QUESTION ...]
"""

import json
import os
import sys

from playwright.sync_api import sync_playwright

root, model, told = os.environ["UI"], os.environ["MODEL"], sys.argv[1:]
with sync_playwright() as driver:
    browser = driver.chromium.launch(executable_path=os.environ["CHROMIUM"], args=["--no-sandbox"])
    page = browser.new_page()
    page.set_default_timeout(60_000)
    news = page.get_by_text("Okay, Let's Go!")
    page.add_locator_handler(news, lambda: news.click())
    page.goto(f"{root}/?models={model}")
    for expected, question in zip(told[::2], told[1::2], strict=True):
        seen = page.get_by_text(expected).count()
        page.locator("#chat-input").click()
        page.keyboard.type(question)
        page.keyboard.press("Enter")
        page.get_by_text(expected).nth(seen).wait_for()
        page.wait_for_timeout(4_000)  # its errands come behind the answer
    print(json.dumps({"text": page.inner_text("body")}))
    browser.close()
