//! `preview`: a FITS file as a picture to look at.

use crate::{context::Context, json};
use astrobackend::{
    Image, Result, fits,
    preview::{Options, Preview, Stats, Stretch, render},
};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Arguments of `preview`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The FITS file
    file: PathBuf,
    /// The PNG file to write [default: FILE with the ending .png]
    #[arg(long, short, value_name = "PNG")]
    output: Option<PathBuf>,
    /// Replace the PNG if it exists
    #[arg(long)]
    overwrite: bool,
    /// As it is, without a stretch
    #[arg(long)]
    linear: bool,
    /// Longest edge of the PNG in pixels, 0 for the picture's own size
    #[arg(long, value_name = "PIXELS", default_value_t = 1600)]
    size: u32,
}

/// Writes the PNG and shows the picture's size and statistics.
pub(crate) fn run(ctx: &Context, args: &Args) -> Result<()> {
    let (image, _) = fits::read(&args.file)?;
    let stretch = if args.linear { Stretch::Linear } else { Stretch::default() };
    let preview = render(&image, &Options { max_edge: (args.size > 0).then_some(args.size), stretch })?;
    let path = args.output.clone().unwrap_or_else(|| beside(&args.file));
    preview.write_png(&path, args.overwrite)?;
    let text = format!("{}\n{}", path.display(), describe(&image, &preview.stats));
    ctx.out.data(text, object(&image, &preview, &path))
}

/// The PNG's name beside the FITS file.
pub(crate) fn beside(fits: &Path) -> PathBuf {
    let compressed = fits.extension().is_some_and(|ending| ending == "fz" || ending == "gz");
    if compressed { fits.with_extension("").with_extension("png") } else { fits.with_extension("png") }
}

fn describe(image: &Image, stats: &[Stats]) -> String {
    let mut text = format!("{} x {} pixels, {}", image.width(), image.height(), image.pixels().type_name());
    let names: &[&str] = if stats.len() == 3 { &["red ", "green ", "blue "] } else { &[""] };
    for (name, stats) in names.iter().zip(stats) {
        text += &format!(
            "\n{name}min {:.0}  median {:.0}  mean {:.1}  max {:.0}",
            stats.min, stats.median, stats.mean, stats.max
        );
    }
    text
}

fn object(image: &Image, preview: &Preview, path: &Path) -> serde_json::Value {
    json!({
        "preview": path.display().to_string(),
        "width_px": image.width(),
        "height_px": image.height(),
        "planes": image.planes(),
        "pixel_type": image.pixels().type_name(),
        "statistics": json::statistics(&preview.stats),
    })
}
