// A page that is watched while its server goes away: it says so, comes back by itself, and shows the truth.
import { api, expect, lookAt, stack, test, wish } from "./support";

test("a job's page outlives the gateway in the middle of a render", async ({ page, watch }) => {
  watch.allow(/ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE/);
  // It looks whether there is a preview already.
  watch.allow(/status of 404.*preview\.m3u8/);
  // Its source is held in the middle until it is let go.
  const posted = await api("POST", "/v1/jobs", {
    kind: "montage",
    title: "Watched through an outage",
    spec: {
      highlights: [
        {
          source: { url: stack.media("/held-in-the-middle/large.mp4") },
          start: 0,
          duration: "8s",
          title: "The long one",
        },
      ],
      transcribe: { engine: "none" },
    },
  });
  expect(posted.status).toBe(202);
  const job = posted.body as { id: string };
  await page.goto(`/jobs/${job.id}`);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Watched through an outage");
  const progress = page.getByRole("region", { name: "Progress" });
  await expect(progress).toContainText(/executor-\d/);
  await lookAt(page, "job-running");

  await wish("kill-gateway");
  const lost = page.getByRole("status").filter({ hasText: "The connection to the server is lost" });
  await expect(lost).toBeVisible();
  // What is known stays to be seen.
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Watched through an outage");
  await lookAt(page, "job-connection-lost");
  // It goes on being made while nobody can see it.
  await wish("let-go");
  await wish("start-gateway");
  await expect(lost).toBeHidden();
  await expect(page.getByRole("heading", { name: "Montage" })).toBeVisible({ timeout: 180_000 });
  await expect(page.locator("main video")).toHaveAttribute("src", /\/v1\/montages\/.*\/media/);
  const ended = (await api("GET", `/v1/jobs/${job.id}`)).body as { state: string; attempts: unknown[] };
  expect(ended.state).toBe("succeeded");
  await lookAt(page, "job-succeeded");
});

test("a lost connection shows what happened meanwhile", async ({ page, context, watch }) => {
  watch.allow(/ERR_INTERNET_DISCONNECTED/);
  await page.goto("/jobs");
  await expect(page.getByRole("heading", { level: 1, name: "Jobs" })).toBeVisible();
  await context.setOffline(true);
  const posted = await api("POST", "/v1/jobs", {
    kind: "montage",
    title: "Posted while nobody saw it",
    run_at: "2099-01-01T00:00:00Z",
    spec: { highlights: [{ source: { url: stack.media("/media/short.mp4") }, start: 0, duration: "1s" }] },
  });
  const job = posted.body as { id: string };
  await context.setOffline(false);
  await expect(page.getByText("Posted while nobody saw it")).toBeVisible();
  await api("POST", `/v1/jobs/${job.id}/cancel`);
  await page.goto(`/jobs/${job.id}`);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Posted while nobody saw it");
  await expect(page.getByText("Cancelled").first()).toBeVisible();
  await lookAt(page, "job-cancelled");
});
