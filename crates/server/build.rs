//! Takes the files of Swagger UI that Dunena's explorer shows out of their archive, packed with gzip as they go to a
//! browser. In the archive they are deflate streams already, so a gzip file is a head and a tail around what is there.

use std::{
    env,
    error::Error,
    fs,
    io::{Cursor, Read},
    path::Path,
};

use utoipa_swagger_ui_vendored::SWAGGER_UI_VENDORED;
use zip::{CompressionMethod, ZipArchive, read::ZipFile};

const FILES: [&str; 2] = ["swagger-ui-bundle.js", "swagger-ui.css"];
/// Magic, deflate, no flags, no time, no hint about the effort, unknown system.
const GZIP_HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    let folder = env::var("OUT_DIR")?;
    let mut archive = ZipArchive::new(Cursor::new(SWAGGER_UI_VENDORED))?;
    for file in FILES {
        let index = find(&archive, file).ok_or_else(|| format!("the archive of Swagger UI has no {file}"))?;
        let packed = gzip(archive.by_index_raw(index)?)?;
        fs::write(Path::new(&folder).join(file).with_added_extension("gz"), packed)?;
    }
    Ok(())
}

/// The file of this name in the folder `dist` of the release, whose own name has the version in it.
fn find(archive: &ZipArchive<Cursor<&[u8]>>, file: &str) -> Option<usize> {
    archive.file_names().position(|name| {
        let Ok(name) = name else { return false };
        let mut parts = name.split('/').skip(1);
        (parts.next(), parts.next(), parts.next()) == (Some("dist"), Some(file), None)
    })
}

fn gzip(mut entry: ZipFile<'_, Cursor<&[u8]>>) -> Result<Vec<u8>, Box<dyn Error>> {
    if entry.compression() != CompressionMethod::DEFLATE {
        return Err("a file of Swagger UI is not packed with deflate".into());
    }
    let (checksum, length) = (entry.crc32(), u32::try_from(entry.size())?);
    let mut packed = GZIP_HEAD.to_vec();
    entry.read_to_end(&mut packed)?;
    packed.extend(checksum.to_le_bytes());
    packed.extend(length.to_le_bytes());
    Ok(packed)
}
