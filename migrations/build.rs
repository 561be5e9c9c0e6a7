//! Lists the migration files of both schemas, so that the library embeds each of them: a new file needs no other change.
//!
//! Fails the build when a folder cannot be read.

use std::{env, fmt::Write as _, fs, io, path::Path};

fn main() -> io::Result<()> {
    let root = env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?;
    let out = env::var("OUT_DIR").map_err(io::Error::other)?;
    let mut code = String::new();
    for schema in ["jobs", "montages"] {
        println!("cargo::rerun-if-changed={schema}");
        let folder = Path::new(&root).join(schema);
        let mut files: Vec<_> =
            fs::read_dir(&folder)?.collect::<Result<Vec<_>, _>>()?.iter().map(|entry| entry.path()).collect();
        files.retain(|file| file.extension().is_some_and(|extension| extension == "sql"));
        files.sort();
        let name = schema.to_uppercase();
        writeln!(code, "const {name}: &[(&str, &str)] = &[").map_err(io::Error::other)?;
        for file in files {
            let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            writeln!(code, "    ({stem:?}, include_str!({:?})),", file.to_string_lossy())
                .map_err(io::Error::other)?;
        }
        code.push_str("];\n");
    }
    fs::write(Path::new(&out).join("embedded.rs"), code)
}
