use highlights::testing::{Day, Dynamodb};
#[tokio::test]
async fn smoke() {
    let Some(server) = Dynamodb::start() else { return };
    server
        .fill(
            ("streamers", &[("UC1", "hana")]),
            ("days", &[Day { channel: "UC1", date: "2026-11-22", video: "v", list: "[]".into() }]),
        )
        .await;
}
