//! Sees to it that the web app is there to be embedded (`src/app.rs`), and that it is embedded anew when it was built anew.

fn main() {
    println!("cargo::rerun-if-changed=web/dist");
    if !std::path::Path::new("web/dist/index.html").is_file() {
        println!(
            "cargo::error=the web app is not built: run deployment/local/web.sh, which makes gateway/web/dist, and then this again"
        );
    }
}
