// Looks at the pages as people do: ADDRESS DIRECTORY NAME [BROKEN].
//
// With BROKEN it makes HeyGen fail (by creating that file) and heal again, and watches the page
// follow without a reload. In each state: screenshots for people to look at, axe-core on every page
// in both schemes and widths, an HTML validator, nothing asked of anybody else, nothing refused by
// the policy, no sideways scrolling at 320 px, and the same facts without JavaScript.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const [address, directory, name, broken] = process.argv.slice(2);
const require = createRequire(join(process.env.FACE_TOOLS, "package.json"));
const { chromium } = require("playwright-core");
const { HtmlValidate } = require("html-validate");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const ARGS = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
];
const PATIENCE = 90_000;
const troubles = [];
const complain = (what) => troubles.push(what);

const validator = new HtmlValidate({
  extends: ["html-validate:recommended"],
  rules: {
    // How the source is laid out is no matter of validity.
    "no-trailing-whitespace": "off",
    "long-title": "off",
    // Stands in `noscript` alone: a page of the present that cannot refresh itself would go stale.
    "meta-refresh": "off",
  },
});

mkdirSync(directory, { recursive: true });
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ARGS });

/** A page in which every complaint of the browser is one of ours. */
async function open(options) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, timezoneId: "Europe/Berlin", ...options });
  const page = await context.newPage();
  page.on("console", (message) => {
    if (message.type() === "error" && !/status of (404|503)/.test(message.text())) complain(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => complain(`script: ${error}`));
  page.on("request", (request) => {
    if (!request.url().startsWith(address) && !request.url().startsWith("data:")) complain(`asked elsewhere: ${request.url()}`);
  });
  return page;
}

const go = (page, path) => page.goto(new URL(path, address + "/").href, { waitUntil: "load" });
const facts = (page) => page.evaluate(() => {
  const copy = document.body.cloneNode(true);
  for (const element of copy.querySelectorAll("time, [data-zone], script, noscript")) element.remove();
  const text = (element) => element.textContent.replace(/\d+ in a row/g, "").replace(/\(?\d+ (s|min|h|d)( \d+ (s|min|h))?\)?/g, "").replace(/\s+/g, " ").trim();
  return [...copy.querySelectorAll("h1, h2, h3, .headline, .facts, .claim, .advice, .alarm, nav a")].map(text);
});

/** Every page that the navigation, the cards and the chips lead to, one of each kind. */
async function pages(page) {
  await go(page, "");
  const found = await page.$$eval("main a[href], nav a[href]", (links) => links.map((link) => link.getAttribute("href")));
  const kinds = new Map([["overview", "."], ["incidents", "incidents"], ["jobs", "jobs"], ["missing", "capabilities/none"]]);
  for (const href of found) {
    const kind = /^(capabilities|probes|incidents)\/[^?]+$/.exec(href)?.[1];
    if (kind && !kinds.has(kind + "-one")) kinds.set(kind + "-one", href);
  }
  for (const wanted of ["probes/api-read", "probes/queue", "capabilities/video_generation"]) {
    if (found.includes(wanted)) kinds.set(wanted.replace("/", "-"), wanted);
  }
  if (!kinds.has("incidents-one")) {
    await go(page, "incidents");
    const href = await page.$eval("main h3 a", (link) => link.getAttribute("href")).catch(() => null);
    if (href) kinds.set("incidents-one", href);
  }
  return kinds;
}

async function look(state) {
  const scout = await open({});
  const kinds = await pages(scout);
  for (const [kind, path] of kinds) {
    const html = await (await scout.request.get(new URL(path, address + "/").href, { headers: { accept: "text/html" } })).text();
    writeFileSync(join(directory, `${name}-${state}-${kind}.html`), html);
    const report = await validator.validateString(html);
    for (const result of report.results) {
      for (const message of result.messages) complain(`html ${state} ${kind}:${message.line} ${message.ruleId} ${message.message}`);
    }
  }
  await scout.context().close();
  for (const colorScheme of ["light", "dark"]) {
    for (const width of [390, 1280]) {
      const page = await open({ colorScheme, viewport: { width, height: 900 } });
      for (const [kind, path] of kinds) {
        await go(page, path);
        await page.screenshot({ path: join(directory, `${name}-${state}-${kind}-${width}-${colorScheme}.png`), fullPage: true });
        // The policy forbids inline code, axe included; it is put in through the debugger instead.
        const found = await page.evaluate(`(() => { const module = undefined, define = undefined; ${axe}; return axe.run(document, { resultTypes: ["violations"] }); })()`);
        for (const violation of found.violations) {
          complain(`axe ${state} ${kind} ${width} ${colorScheme}: ${violation.id}: ${violation.help}: ${violation.nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(" ; ")}`);
        }
      }
      await page.context().close();
    }
  }
  const narrow = await open({ viewport: { width: 320, height: 700 } });
  const plain = await open({ javaScriptEnabled: false });
  const scripted = await open({});
  for (const [kind, path] of kinds) {
    await go(narrow, path);
    const wide = await narrow.evaluate(() => document.documentElement.scrollWidth);
    if (wide > 320) complain(`${state} ${kind} is ${wide} px wide on a screen of 320`);
    // The demo's day runs too fast for two looks at the same moment; else something may happen
    // between two looks once, but not three times.
    let same = !broken;
    for (let attempt = 0; attempt < 3 && !same; attempt += 1) {
      await go(plain, path);
      await go(scripted, path);
      same = JSON.stringify(await facts(plain)) === JSON.stringify(await facts(scripted));
    }
    if (!same) complain(`${state} ${kind} says something else without JavaScript`);
  }
  for (const page of [narrow, plain, scripted]) await page.context().close();
  return kinds.size;
}

/** What the window shows, without having been loaded again. */
async function follows(page, word, icon) {
  await page.waitForFunction(
    ([word, icon]) => document.querySelector("h1").textContent.trim() === word
      && document.getElementById("favicon").getAttribute("href").includes(icon)
      && document.title.includes(word),
    [word, icon], { timeout: PATIENCE, polling: 250 });
  if (!(await page.evaluate(() => window.untouched === true))) throw new Error("the page was loaded again");
}

let looked = 0;
try {
  if (broken) {
    const page = await open({});
    await go(page, "");
    await page.evaluate(() => { window.untouched = true; });
    await follows(page, "working", "operational");
    looked += await look("working");
    writeFileSync(broken, "");
    await follows(page, "down", "outage");
    if (!(await page.textContent("#details")).includes("Open incidents")) complain("the incident did not appear");
    looked += await look("down");
    rmSync(broken);
    await follows(page, "working", "operational");
    looked += await look("healed");
    // The first stop of the keyboard leads past the navigation.
    await go(page, "");
    await page.keyboard.press("Tab");
    if ((await page.evaluate(() => document.activeElement.className)) !== "skip") complain("the first stop of the keyboard is not the skip link");
  } else {
    looked += await look("seen");
  }
} catch (error) {
  complain(String(error));
} finally {
  if (broken && existsSync(broken)) rmSync(broken);
  await browser.close();
}
for (const trouble of [...new Set(troubles)]) console.log(trouble);
console.log(`${looked} pages looked at, ${new Set(troubles).size} complaints`);
process.exit(troubles.length ? 1 : 0);
