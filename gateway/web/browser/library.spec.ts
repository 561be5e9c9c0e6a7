// The library: what is shown, found, narrowed, and what it says where there is nothing or something went wrong.
import { expect, lookAt, test } from "./support";

test("montages stand in a grid that shows more to whoever points at one", async ({ page }) => {
  await page.goto("/");
  const card = page.getByRole("listitem").filter({ hasText: "Harvest festival" });
  await expect(card).toContainText("hana, mio");
  await expect(card).toContainText("2 clips");
  await expect(card).toContainText("0:14");
  const poster = card.locator("img");
  await expect.poll(() => poster.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBeGreaterThan(0);
  const box = await poster.boundingBox();
  if (!box) throw new Error("the poster is not shown");
  await page.mouse.move(box.x + box.width * 0.75, box.y + box.height / 2);
  await expect(card).toContainText("0:10 / 0:14");
  await lookAt(page, "library");
});

test("words find montages and the moments at which they are said", async ({ page }) => {
  await page.goto("/");
  await page.getByRole("searchbox").fill("lighthouse keeper");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\?q=lighthouse\+keeper/);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Results for “lighthouse keeper”");
  const moments = page.getByRole("region", { name: "Moments" });
  await expect(moments.getByRole("link").first().locator("mark").first()).toHaveText(/lighthouse/i);
  await expect(
    page.getByRole("listitem").filter({ hasText: "Harvest festival" }).locator("mark").first(),
  ).toBeVisible();
  await lookAt(page, "library-search");
  await page.reload();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Results for “lighthouse keeper”");
});

test("filters live in the address", async ({ page }) => {
  await page.goto("/");
  await page.getByRole("button", { name: "Filters" }).click();
  await page.getByLabel("Label").fill("show:weekly");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/label=show%3Aweekly/);
  await expect(page.getByRole("status").filter({ hasText: "1 montage" })).toBeVisible();
  await lookAt(page, "library-filters");
  await page.getByRole("button", { name: "Remove the filter show:weekly" }).click();
  await expect(page).not.toHaveURL(/label/);
  await page.getByRole("button", { name: "Last 7 days" }).click();
  await expect(page).toHaveURL(/since=/);
  await expect(page.getByText("Harvest festival")).toBeVisible();
  await page.goBack();
  await expect(page).not.toHaveURL(/since/);
});

test("where nothing is, it says what to do", async ({ page, watch }) => {
  // A page that is not there is answered as such.
  watch.allow(/status of 404/);
  await page.goto("/?q=zyzzyva");
  await expect(page.getByRole("heading", { name: "Nothing in the library matches" })).toBeVisible();
  await lookAt(page, "library-nothing");
  await page.getByRole("button", { name: "Show everything" }).click();
  await expect(page.getByText("Harvest festival")).toBeVisible();
  await page.goto("/no/such/page");
  await expect(page.getByRole("heading", { name: "There is no such page" })).toBeVisible();
  await lookAt(page, "not-found");
});

test("while it loads and when it fails, it says so", async ({ page, watch }) => {
  watch.allow(/Failed to load resource/);
  let broken = true;
  await page.route("**/v1/montages?**", async (route) => {
    if (broken) await route.abort("connectionrefused");
    else await route.continue();
  });
  await page.goto("/");
  await expect(page.getByText("Loading the library…")).toBeAttached();
  await lookAt(page, "library-loading");
  await expect(page.getByRole("heading", { name: "The server does not answer" })).toBeVisible();
  await lookAt(page, "library-failed");
  broken = false;
  await page.getByRole("button", { name: "Try again" }).click();
  await expect(page.getByText("Harvest festival")).toBeVisible();
});
