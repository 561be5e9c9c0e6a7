// What the first visit costs: bytes, requests, and nothing that jumps about. Times are printed and decide nothing.
import { expect, stack, test } from "./support";

/** Bytes over the wire before the library can be used; pictures of the library itself are not counted. */
const MOST_BYTES = 200_000;
const MOST_REQUESTS = 30;
/** As it is measured by the web's vitals: above 0.1 a page counts as unsteady. */
const MOST_SHIFT = 0.1;

for (const path of ["/", "/make", "/jobs", "/schedules", "/operations", `/m/MONTAGE`]) {
  test(`the first visit of ${path} is light`, async ({ page }) => {
    const session = await page.context().newCDPSession(page);
    await session.send("Network.enable");
    const kinds = new Map<string, { type: string; url: string }>();
    const sizes: { url: string; bytes: number }[] = [];
    session.on("Network.responseReceived", (event) =>
      kinds.set(event.requestId, { type: event.type, url: event.response.url }),
    );
    session.on("Network.loadingFinished", (event) => {
      const known = kinds.get(event.requestId);
      if (known && !["Image", "Media"].includes(known.type))
        sizes.push({ url: known.url, bytes: event.encodedDataLength });
    });
    await page.addInitScript(() => {
      const shifts: number[] = [];
      Object.assign(window, { shifts });
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries() as (PerformanceEntry & { value: number; hadRecentInput: boolean })[]) {
          if (!entry.hadRecentInput) shifts.push(entry.value);
        }
      }).observe({ type: "layout-shift", buffered: true });
    });
    await page.goto(path.replace("MONTAGE", stack.montage()));
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    await page.waitForTimeout(2000);
    const sum = sizes.reduce((all, { bytes }) => all + bytes, 0);
    const shift = await page.evaluate(() =>
      (window as unknown as { shifts: number[] }).shifts.reduce((all, one) => all + one, 0),
    );
    const paint = await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime);
    console.log(
      `${path}: ${sum} bytes in ${sizes.length} answers, layout shift ${shift.toFixed(3)}, first paint after ${Math.round(paint ?? 0)} ms`,
    );
    expect(sum, JSON.stringify(sizes, null, 1)).toBeLessThan(MOST_BYTES);
    expect(sizes.length).toBeLessThanOrEqual(MOST_REQUESTS);
    expect(shift).toBeLessThan(MOST_SHIFT);
  });
}

test("what can be compressed comes compressed, and what never changes is kept", async ({ page, request }) => {
  await page.goto("/");
  const script = await page.locator("script[type=module]").getAttribute("src");
  const answer = await request.get(script ?? "", { headers: { "accept-encoding": "br, gzip" } });
  expect(answer.headers()["content-encoding"]).toBe("br");
  expect(answer.headers()["cache-control"]).toContain("immutable");
});
