// What a montage takes, without making it: asked for when somebody wants to know.
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, ask, Problem } from "../../api/client";
import type { components } from "../../api/schema";
import type { Job, PlanView } from "../../api/types";
import { bytes, clock, count, roughly, shareOfCopies } from "../../lib/format";
import { Button } from "../../ui/button";
import { Failure, Loading } from "../../ui/states";
import { Table } from "../../ui/table";
import styles from "./job.module.css";
import { placeOf } from "./words";

type Clip = components["schemas"]["PlanClip"];

/** How long is waited between looks, in milliseconds, and how often. */
const [WAIT, LOOKS] = [1000, 120];

async function makePlan(job: Job, signal: AbortSignal): Promise<PlanView> {
  // What is answered of a spec is also what may be posted.
  const spec = job.spec as components["schemas"]["PostedMontage"];
  let answer = await ask(api.POST("/v1/plans", { body: { spec } as components["schemas"]["PostedPlan"], signal }));
  for (let look = 0; !answer.plan && look < LOOKS; look += 1) {
    await new Promise((wake) => setTimeout(wake, WAIT));
    answer = await ask(api.GET("/v1/plans/{id}", { params: { path: { id: answer.id } }, signal }));
  }
  if (answer.plan) return answer.plan as PlanView;
  throw new Problem({ detail: "No executor has made the plan yet. Ask again when one has time." }, 503);
}

export function Plan({ job }: { job: Job }) {
  const [wanted, setWanted] = useState(false);
  const plan = useQuery({
    queryKey: ["plan", job.id],
    queryFn: ({ signal }) => makePlan(job, signal),
    enabled: wanted,
    staleTime: 600_000,
    retry: false,
  });
  return (
    <section className={`${styles.section} card`} aria-labelledby="plan-title">
      <h2 id="plan-title">What it takes</h2>
      {!wanted ? (
        <>
          <p className="soft">
            The plan says for each clip what is copied bit for bit, what is encoded and why, and what is read of the
            sources.
          </p>
          <div>
            <Button look="plain" onClick={() => setWanted(true)}>
              Show the plan
            </Button>
          </div>
        </>
      ) : plan.isPending ? (
        <Loading label="An executor looks at the sources" />
      ) : plan.isError ? (
        <Failure error={plan.error} title="It cannot be planned" again={() => void plan.refetch()} />
      ) : (
        <PlanTable plan={plan.data} />
      )}
    </section>
  );
}

function PlanTable({ plan }: { plan: PlanView }) {
  const { canvas } = plan;
  return (
    <>
      <p>
        {clock(plan.duration)} at {canvas.width} × {canvas.height}, {canvas.codec}:{" "}
        {shareOfCopies(plan.frames - plan.frames_encoded, plan.frames)}, {bytes(plan.bytes_to_fetch)} to read.
        {plan.seconds_estimated ? ` It takes about ${roughly(plan.seconds_estimated)}.` : ""}
      </p>
      {plan.warnings && plan.warnings.length > 0 && (
        <ul>
          {plan.warnings.map((warning) => (
            <li key={warning}>{warning}</li>
          ))}
        </ul>
      )}
      <Table<[number, Clip]>
        caption="Clips"
        rows={[...plan.clips.entries()]}
        keyOf={([index]) => String(index)}
        columns={[
          { name: "Clip", heads: true, cell: ([index, clip]) => clip.title || placeOf(`/highlights/${index}`).words },
          { name: "Cut", tight: true, cell: ([, clip]) => clip.mode },
          {
            name: "Copied",
            tight: true,
            cell: ([, clip]) => `${clip.frames_copied.toLocaleString("en")} of ${count(clip.frames, "frame")}`,
          },
          { name: "To read", tight: true, cell: ([, clip]) => bytes(clip.bytes) },
          { name: "Why", cell: ([, clip]) => clip.reason },
        ]}
      />
    </>
  );
}
