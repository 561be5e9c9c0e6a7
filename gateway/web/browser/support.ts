// What all tests in the browser share: the installation they run on, and what must hold on every page at every moment.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { test as base, expect, type Page } from "@playwright/test";

export { expect };

const env = (name: string): string => {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run these tests by \`cargo test --test end_to_end web\``);
  return value;
};

/** The installation. */
export const stack = {
  gateway: () => env("SM_WEB_URL"),
  /** A gateway of the same installation that wants a key. */
  locked: () => env("SM_WEB_LOCKED_URL"),
  adminKey: () => env("SM_WEB_ADMIN_KEY"),
  /** A link on the server of sources. */
  media: (path: string) => env("SM_WEB_MEDIA").replace(/\/$/, "") + path,
  /** The montage in which somebody speaks. */
  montage: () => env("SM_WEB_MONTAGE"),
  /** A file to upload. */
  upload: () => env("SM_WEB_UPLOAD"),
};

/** Has the installation do something that a browser cannot. */
export async function wish(name: "kill-gateway" | "start-gateway" | "let-go"): Promise<void> {
  const answer = await fetch(`${env("SM_WEB_CONTROL")}/${name}`, { method: "POST" });
  expect(answer.status, name).toBe(204);
}

/** Asks the API directly. */
export async function api(method: string, path: string, body?: unknown): Promise<{ status: number; body: never }> {
  const answer = await fetch(stack.gateway() + path, {
    method,
    headers: body === undefined ? {} : { "content-type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await answer.text();
  return { status: answer.status, body: (text ? JSON.parse(text) : null) as never };
}

/** What a page did that it must not do. */
interface Watch {
  /** Errors in the console and uncaught ones that match are expected, and no complaint. */
  allow: (pattern: RegExp) => void;
}

/** Tests whose pages are watched: no error in the console, no request to another host. */
export const test = base.extend<{ watch: Watch }>({
  watch: [
    async ({ context }, use) => {
      const complaints: string[] = [];
      const allowed: RegExp[] = [];
      const hosts = new Set([stack.gateway(), stack.locked()].map((url) => new URL(url).host));
      const look = (page: Page) => {
        page.on("console", (message) => {
          if (message.type() === "error") complaints.push(`${message.text()} ${message.location().url}`);
        });
        page.on("pageerror", (error) => complaints.push(`uncaught: ${error.message}`));
      };
      context.on("page", look);
      context.on("request", (request) => {
        const url = new URL(request.url());
        if (["http:", "https:", "ws:", "wss:"].includes(url.protocol) && !hosts.has(url.host)) {
          complaints.push(`asked another host: ${request.url()}`);
        }
      });
      await use({ allow: (pattern) => allowed.push(pattern) });
      const left = complaints.filter((complaint) => !allowed.some((pattern) => pattern.test(complaint)));
      expect(left, "what the pages complained about").toEqual([]);
    },
    { auto: true },
  ],
});

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** What axe finds wrong with a page, in a line each. */
export async function axeFinds(page: Page): Promise<string[]> {
  const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
  // As a script of the test and not of the page: the content policy lets no foreign script in.
  const found = await page.evaluate(`${axe};axe.run(document, { runOnly: ${JSON.stringify(tags)} })`);
  const { violations } = found as { violations: { id: string; nodes: { html: string; failureSummary: string }[] }[] };
  return violations.map(
    (violation) =>
      `${violation.id}: ${violation.nodes.map((node) => `${node.html.slice(0, 200)} (${node.failureSummary})`).join(" | ")}`,
  );
}

/** The sizes and colours at which every page is looked at. */
export const LOOKS = [
  { width: 390, height: 844, scheme: "light" },
  { width: 390, height: 844, scheme: "dark" },
  { width: 1280, height: 900, scheme: "light" },
  { width: 1280, height: 900, scheme: "dark" },
  { width: 2560, height: 1440, scheme: "light" },
  { width: 2560, height: 1440, scheme: "dark" },
] as const;

/** How many pixels a page is wider than its window, which it must never be: the layout may need a moment to follow the window. */
async function fits(page: Page, name: string): Promise<void> {
  const wider = () => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  await expect.poll(wider, { message: `${name} is wider than the window by so many pixels` }).toBeLessThanOrEqual(0);
}

/** Looks at a page as it stands, in every size and colour: keeps the picture, and checks what a machine can check. */
export async function lookAt(page: Page, name: string): Promise<void> {
  for (const { width, height, scheme } of LOOKS) {
    const place = `${name} at ${width} px, ${scheme}`;
    await page.setViewportSize({ width, height });
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
    // The layout follows in the next frames.
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
    await fits(page, place);
    await page.screenshot({ path: `${env("SM_WEB_SCREENS")}/${name}-${width}-${scheme}.png`, animations: "disabled" });
    expect(await axeFinds(page), place).toEqual([]);
  }
  // The narrowest there is.
  await page.setViewportSize({ width: 360, height: 740 });
  await fits(page, `${name} at 360 px`);
  await page.setViewportSize({ width: 1280, height: 900 });
}
