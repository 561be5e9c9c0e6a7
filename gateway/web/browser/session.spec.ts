// Where a key is needed: asked for once, traded for a cookie that scripts cannot read, and taken back.
import { expect, lookAt, stack, test } from "./support";

test("a key opens the library and signing out closes it", async ({ page, watch }) => {
  watch.allow(/401/);
  await page.goto(`${stack.locked()}/`);
  await expect(page.getByRole("heading", { name: "This library needs a key" })).toBeVisible();
  await lookAt(page, "sign-in");
  await page.getByLabel("API key").fill("sm_wrong");
  await page.getByRole("button", { name: "Open the library" }).click();
  await expect(page.getByRole("alert")).toContainText("not known");
  await lookAt(page, "sign-in-refused");
  await page.getByLabel("API key").fill(stack.adminKey());
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "Library" })).toBeVisible();
  await expect(page.getByText("Harvest festival")).toBeVisible();
  // Pictures and videos come by the cookie alone.
  await expect
    .poll(() =>
      page
        .locator("main img")
        .first()
        .evaluate((image: HTMLImageElement) => image.naturalWidth),
    )
    .toBeGreaterThan(0);
  expect(await page.evaluate(() => document.cookie)).toBe("");
  const [cookie] = await page.context().cookies();
  expect(cookie).toMatchObject({ httpOnly: true, sameSite: "Strict" });
  // Another site's page makes the browser send nothing that changes anything.
  const forged = await page.request.post(`${stack.locked()}/v1/jobs`, {
    headers: { origin: "http://evil.example", cookie: `${cookie?.name}=${cookie?.value}` },
    data: { kind: "montage", spec: {} },
  });
  expect(forged.status()).toBe(403);
  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(page.getByRole("heading", { name: "This library needs a key" })).toBeVisible();
  expect(await page.context().cookies()).toEqual([]);
});
