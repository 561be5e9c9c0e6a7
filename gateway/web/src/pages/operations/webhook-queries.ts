// What the pages about webhooks ask for.
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { api, ask } from "../../api/client";
import { keys } from "../../api/queries";

/** How often deliveries are looked at, in milliseconds: usually, and while one is about to be sent. */
const [USUALLY, DURING] = [15_000, 2000];
/** What is sent within so many milliseconds is waited for. */
const SOON = 10_000;

export function useWebhooks() {
  return useInfiniteQuery({
    queryKey: keys.webhooks,
    queryFn: ({ pageParam, signal }) =>
      ask(api.GET("/v1/webhooks", { params: { query: { cursor: pageParam } }, signal })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    refetchInterval: USUALLY,
  });
}

export function useWebhook(id: string) {
  return useQuery({
    queryKey: [...keys.webhooks, "one", id],
    queryFn: ({ signal }) => ask(api.GET("/v1/webhooks/{id}", { params: { path: { id } }, signal })),
    refetchInterval: USUALLY,
  });
}

export function useDeliveries(id: string) {
  return useInfiniteQuery({
    queryKey: [...keys.webhooks, "deliveries", id],
    queryFn: ({ pageParam, signal }) =>
      ask(
        api.GET("/v1/webhooks/{id}/deliveries", {
          params: { path: { id }, query: { cursor: pageParam, limit: 25 } },
          signal,
        }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    refetchInterval: (query) => {
      const due = query.state.data?.pages.some((page) =>
        page.items.some((delivery) => delivery.next_at && Date.parse(delivery.next_at) - Date.now() < SOON),
      );
      return due ? DURING : USUALLY;
    },
  });
}
