// The present moment, for what says how long ago something was.
import { useEffect, useState } from "react";

/** Milliseconds since 1970, brought up to date every so many milliseconds. */
export function useNow(every = 15_000): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), every);
    return () => clearInterval(timer);
  }, [every]);
  return now;
}
