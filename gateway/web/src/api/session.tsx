// Who is looking: asks the gateway whether a key is needed, and trades one for a cookie.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { createContext, type ReactNode, useContext, useEffect, useId, useState } from "react";
import { Button } from "../ui/button";
import styles from "../ui/session.module.css";
import { Failure, Loading } from "../ui/states";
import { api, ask, Problem } from "./client";
import { keys } from "./queries";
import type { Scope, SessionInfo } from "./types";

const Session = createContext<SessionInfo>({ keys_needed: false, scopes: [] });

/** The session. */
export const useSession = (): SessionInfo => useContext(Session);

/** Whether something is allowed to this session. */
export function useMay(scope: Scope): boolean {
  return useSession().scopes.includes(scope);
}

async function look(): Promise<SessionInfo> {
  try {
    return await ask(api.GET("/v1/session"));
  } catch (error) {
    // A cookie whose key was revoked.
    if (error instanceof Problem && error.status === 401) return { keys_needed: true, scopes: [] };
    throw error;
  }
}

/** Shows its children to whoever may read, and asks everybody else for a key. */
export function SessionGate({ children }: { children: ReactNode }) {
  const client = useQueryClient();
  const session = useQuery({ queryKey: keys.session, queryFn: look, staleTime: 60_000 });
  // Any answer that says the session is over brings the question for a key back.
  useEffect(
    () =>
      client.getQueryCache().subscribe((event) => {
        const error = event.query.state.error;
        const fresh = event.type === "updated" && event.action.type === "error";
        if (fresh && error instanceof Problem && error.status === 401 && event.query.queryKey[0] !== "session") {
          void client.invalidateQueries({ queryKey: keys.session });
        }
      }),
    [client],
  );
  if (session.isPending) return <Loading label="Opening the library" />;
  if (!session.data) return <Failure error={session.error} again={() => void session.refetch()} />;
  if (session.data.keys_needed && !session.data.scopes.includes("read")) {
    return <SignIn wrongScope={session.data.scopes.length > 0} />;
  }
  return <Session.Provider value={session.data}>{children}</Session.Provider>;
}

function SignIn({ wrongScope }: { wrongScope: boolean }) {
  const id = useId();
  const client = useQueryClient();
  const [key, setKey] = useState("");
  const signIn = useMutation({
    mutationFn: () => ask(api.POST("/v1/session", { headers: { Authorization: `Bearer ${key.trim()}` } })),
    onSuccess: (session) => {
      setKey("");
      client.setQueryData(keys.session, session);
      void client.invalidateQueries();
    },
  });
  const refusal =
    signIn.error?.message ??
    (wrongScope ? "This key may not read the library. Use one with the scope read." : undefined);
  return (
    <main className={styles.page}>
      <form
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault();
          signIn.mutate();
        }}
      >
        <h1>This library needs a key</h1>
        <label htmlFor={id}>API key</label>
        <input
          id={id}
          type="password"
          autoComplete="current-password"
          required
          value={key}
          onChange={(event) => setKey(event.target.value)}
          aria-invalid={refusal ? true : undefined}
          aria-describedby={`${id}-help`}
        />
        {refusal && (
          <p role="alert" className={styles.refusal}>
            {refusal}
          </p>
        )}
        <p id={`${id}-help`} className="soft small">
          An operator makes keys on the page Operations. The key is traded for a cookie that no script can read, and is
          kept nowhere else.
        </p>
        <Button type="submit" busy={signIn.isPending}>
          Open the library
        </Button>
      </form>
    </main>
  );
}

/** Ends the session. */
export function useSignOut(): () => void {
  const client = useQueryClient();
  const signOut = useMutation({
    mutationFn: () => ask(api.DELETE("/v1/session")),
    onSettled: () => {
      client.clear();
      location.assign("/");
    },
  });
  return () => signOut.mutate();
}
