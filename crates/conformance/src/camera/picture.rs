//! Pictures: their region, binning, orientation and pixels, and what they know about themselves.

use super::{SHORT, take};
use crate::{Lab, Outcome, Stop, case_list, ensure, require, target::refused};
use astrobackend::{
    ErrorKind, Image,
    device::{CameraExt, Colour, Control, Exposure, FrameType},
    guard::Verdict,
    image::{Frame, Pixels},
};
use std::time::Duration;

case_list!("camera": the_image_has_the_frame_and_what_is_known, pixels_have_the_bits_of_the_sensor, a_region_off_the_sensor_is_refused, binning_beyond_the_maximum_is_refused, regions_have_their_size, binning_shrinks_the_image, a_region_is_the_cut_out_of_the_whole, a_mosaic_follows_an_odd_region, every_frame_type_is_delivered, gain_goes_into_the_image, a_taken_image_is_the_whole_image, a_good_frame_is_judged_ok);

fn the_image_has_the_frame_and_what_is_known(lab: &Lab) -> Outcome {
    let camera = lab.camera()?;
    let image = take(lab, &*camera)?;
    let (caps, frame) = (camera.caps()?, camera.frame()?);
    ensure!(
        (image.width(), image.height()) == (frame.width, frame.height),
        "{}x{} for {frame:?}",
        image.width(),
        image.height()
    );
    let planes = if caps.sensor.colour == Colour::Planes { 3 } else { 1 };
    ensure!(image.planes() == planes, "{} planes", image.planes());
    ensure!(image.meta.exposure == Some(SHORT), "the image says it was exposed {:?}", image.meta.exposure);
    ensure!(image.meta.start.is_some(), "the image does not know when it was taken");
    ensure!(image.meta.frame == Some(frame), "the image says {:?}, the camera {frame:?}", image.meta.frame);
    ensure!(image.meta.frame_type == Some(FrameType::Light), "the image is a {:?}", image.meta.frame_type);
    ensure!(image.meta.camera == Some(camera.info().id.name), "the image is of {:?}", image.meta.camera);
    ensure!(
        image.meta.bayer.is_some() == matches!(caps.sensor.colour, Colour::Bayer(_)),
        "mosaic {:?}",
        image.meta.bayer
    );
    if let Some(max) = camera.state()?.max_adu {
        let brightest = (0..image.pixels().len()).filter_map(|n| image.pixels().get(n)).fold(0.0, f64::max);
        ensure!(brightest <= f64::from(max), "a pixel of {brightest} above the maximum {max}");
    }
    Ok(())
}

fn pixels_have_the_bits_of_the_sensor(lab: &Lab) -> Outcome {
    let camera = lab.camera()?;
    let Some(bits) = camera.caps()?.sensor.bits_per_pixel else {
        return Err(Stop::Skip("it does not tell its bits per pixel".into()));
    };
    let image = take(lab, &*camera)?;
    // ASCOM hands integers of 32 bit out for whatever the camera has.
    let fits =
        matches!(image.pixels(), Pixels::I32(_)) || image.pixels().bytes_per_pixel() == usize::from(bits.div_ceil(8));
    ensure!(fits, "{bits} bits come as {}", image.pixels().type_name());
    Ok(())
}

fn a_region_off_the_sensor_is_refused(lab: &Lab) -> Outcome {
    let camera = lab.camera()?;
    let before = camera.frame()?;
    let (width, height) = (before.width, before.height);
    let full = Frame::full(width, height, 1);
    for frame in [
        Frame { width: width + 1, ..full },
        Frame { x: width, width: 1, ..full },
        Frame { y: 1, ..full },
        Frame { height: 0, ..full },
        Frame { x: u32::MAX, width: u32::MAX, ..full },
    ] {
        let what = format!("{frame:?}");
        let error = refused(&*camera, &what, camera.set_frame(frame), &[ErrorKind::InvalidValue])?;
        let limit = format!("{width}x{height}");
        ensure!(error.to_string().contains(&limit), "the refusal does not name the limit {limit}: {error}");
    }
    ensure!(camera.frame()? == before, "the refused region was taken");
    Ok(())
}

fn binning_beyond_the_maximum_is_refused(lab: &Lab) -> Outcome {
    let camera = lab.camera()?;
    let caps = camera.caps()?;
    let before = camera.frame()?;
    for (bin_x, bin_y) in [(0, 0), (caps.max_bin.0 + 1, caps.max_bin.1 + 1), (200, 200)] {
        let frame = Frame { x: 0, y: 0, width: 8, height: 8, bin_x, bin_y };
        let what = format!("binning {bin_x}x{bin_y}");
        let error = refused(&*camera, &what, camera.set_frame(frame), &[ErrorKind::InvalidValue])?;
        let limit = if bin_x == 0 { "1x1".to_owned() } else { format!("{}x{}", caps.max_bin.0, caps.max_bin.1) };
        ensure!(error.to_string().contains(&limit), "the refusal does not name the limit {limit}: {error}");
    }
    ensure!(camera.frame()? == before, "the refused binning was taken");
    Ok(())
}

fn regions_have_their_size(lab: &Lab) -> Outcome {
    let camera = lab.camera()?;
    for (x, y, width, height) in [(0, 0, 64, 32), (101, 53, 200, 100), (3, 5, 32, 48)] {
        let frame = Frame { x, y, width, height, bin_x: 1, bin_y: 1 };
        camera.set_frame(frame)?;
        ensure!(camera.frame()? == frame, "set to {frame:?} it reads {:?}", camera.frame()?);
        let image = take(lab, &*camera)?;
        ensure!(
            (image.width(), image.height()) == (width, height),
            "{}x{} for {frame:?}",
            image.width(),
            image.height()
        );
        ensure!(image.meta.frame == Some(frame), "the image says {:?} for {frame:?}", image.meta.frame);
    }
    Ok(())
}

fn binning_shrinks_the_image(lab: &Lab) -> Outcome {
    let camera = lab.camera()?;
    let caps = camera.caps()?;
    require!(caps.max_bin.0 > 1, "it cannot bin");
    let whole = Frame::full(caps.sensor.width, caps.sensor.height, 2);
    let part = Frame { x: 11, y: 7, width: 100, height: 50, ..whole };
    for frame in [whole, part] {
        camera.set_frame(frame)?;
        ensure!(camera.frame()? == frame, "set to {frame:?} it reads {:?}", camera.frame()?);
        let image = take(lab, &*camera)?;
        ensure!(
            (image.width(), image.height()) == (frame.width, frame.height),
            "{}x{} for {frame:?}",
            image.width(),
            image.height()
        );
    }
    if !caps.asymmetric_bin {
        let frame = Frame { bin_x: 1, bin_y: 2, ..part };
        refused(&*camera, "asymmetric binning", camera.set_frame(frame), &[ErrorKind::InvalidValue])?;
    }
    Ok(())
}

/// Side of the blocks in which two pictures are compared: noise and seeing average out.
const BLOCK: u32 = 8;

/// Block means of a part of an image, row by row, with the number of blocks in a row.
fn blocks(image: &Image, x: u32, y: u32, width: u32, height: u32) -> (Vec<f64>, usize) {
    let columns = width / BLOCK;
    let mean = |n: u32| {
        let (left, top) = (x + n % columns * BLOCK, y + n / columns * BLOCK);
        let pixel = |k: u32| image.pixels().get(((top + k / BLOCK) * image.width() + left + k % BLOCK) as usize);
        (0..BLOCK * BLOCK).filter_map(pixel).sum::<f64>() / f64::from(BLOCK * BLOCK)
    };
    ((0..columns * (height / BLOCK)).map(mean).collect(), columns as usize)
}

/// Correlation of two series, -1 to 1.
fn correlation<'a>(a: &[f64], b: impl Iterator<Item = &'a f64>) -> f64 {
    let b: Vec<f64> = b.copied().collect();
    let mean = |series: &[f64]| series.iter().sum::<f64>() / series.len() as f64;
    let (ma, mb) = (mean(a), mean(&b));
    let product = |f: &dyn Fn(usize) -> f64| (0..a.len()).map(f).sum::<f64>();
    let (aa, bb) = (product(&|n| (a[n] - ma).powi(2)), product(&|n| (b[n] - mb).powi(2)));
    product(&|n| (a[n] - ma) * (b[n] - mb)) / (aa * bb).sqrt()
}

fn a_region_is_the_cut_out_of_the_whole(lab: &Lab) -> Outcome {
    let camera = lab.camera()?;
    let exposure = Exposure::light(Duration::from_secs(2));
    let whole = camera.expose(exposure, &lab.wait())?;
    let (all, columns) = blocks(&whole, 0, 0, whole.width(), whole.height());
    let mean = all.iter().sum::<f64>() / all.len() as f64;
    let brightest = (0..all.len()).max_by(|a, b| all[*a].total_cmp(&all[*b])).unwrap_or(0);
    require!(all[brightest] > 1.5 * mean.max(1.0), "there is no bright star in the field");
    // Off-centre in both directions, so that a mirrored or transposed region shows.
    let (x, y) = ((brightest % columns) as u32 * BLOCK, (brightest / columns) as u32 * BLOCK);
    let frame = Frame { x: x.saturating_sub(40), y: y.saturating_sub(96), width: 160, height: 160, bin_x: 1, bin_y: 1 };
    let fits = frame.x + frame.width <= whole.width() && frame.y + frame.height <= whole.height();
    require!(fits, "the brightest star stands at the edge");
    camera.set_frame(frame)?;
    let part = camera.expose(exposure, &lab.wait())?;
    let (seen, columns) = blocks(&part, 0, 0, frame.width, frame.height);
    let (expected, _) = blocks(&whole, frame.x, frame.y, frame.width, frame.height);
    let alike = correlation(&expected, seen.iter());
    let mirrored = correlation(&expected, seen.chunks(columns).flat_map(|row| row.iter().rev()));
    let upside_down = correlation(&expected, seen.chunks(columns).rev().flatten());
    ensure!(
        alike > 0.5 && alike > mirrored && alike > upside_down,
        "{frame:?} correlates {alike:.2} with the same part of the whole, {mirrored:.2} mirrored, {upside_down:.2} upside down"
    );
    Ok(())
}

fn a_mosaic_follows_an_odd_region(lab: &Lab) -> Outcome {
    let camera = lab.camera()?;
    let Colour::Bayer(pattern) = camera.caps()?.sensor.colour else {
        return Err(Stop::Skip("the sensor has no Bayer mosaic".into()));
    };
    camera.set_frame(Frame { x: 3, y: 6, width: 64, height: 64, bin_x: 1, bin_y: 1 })?;
    let seen = take(lab, &*camera)?.meta.bayer;
    ensure!(seen == Some(pattern.shifted(3, 6)), "{pattern} from 3,6 on is called {seen:?}");
    Ok(())
}

fn every_frame_type_is_delivered(lab: &Lab) -> Outcome {
    let camera = lab.camera()?;
    camera.set_frame(Frame { x: 0, y: 0, width: 64, height: 64, bin_x: 1, bin_y: 1 })?;
    for frame_type in [FrameType::Dark, FrameType::Flat, FrameType::Bias, FrameType::Light] {
        let duration = if frame_type == FrameType::Bias { *camera.caps()?.exposure.start() } else { SHORT };
        let image = camera.expose(Exposure { duration, frame_type }, &lab.wait())?;
        ensure!(image.meta.frame_type == Some(frame_type), "a {frame_type} came as {:?}", image.meta.frame_type);
    }
    Ok(())
}

fn a_good_frame_is_judged_ok(lab: &Lab) -> Outcome {
    let camera = lab.camera()?;
    camera.set_frame(Frame { x: 0, y: 0, width: 128, height: 96, bin_x: 1, bin_y: 1 })?;
    let mut number = None;
    for frame_type in [FrameType::Light, FrameType::Dark, FrameType::Bias, FrameType::Flat] {
        let duration = match frame_type {
            FrameType::Bias => *camera.caps()?.exposure.start(),
            // Longer it may be saturated, which is worth a warning.
            FrameType::Flat => SHORT / 50,
            _ => 2 * SHORT,
        };
        // Two of each: the second is no copy of the first.
        for n in 1..=2 {
            let meta = camera.expose(Exposure { duration, frame_type }, &lab.wait())?.meta.clone();
            ensure!(meta.verdict == Some(Verdict::Ok), "{frame_type} frame {n} is judged {:?}", meta.verdict);
            ensure!(meta.exposure_number > number, "exposure {:?} follows {number:?}", meta.exposure_number);
            number = meta.exposure_number;
        }
    }
    Ok(())
}

fn gain_goes_into_the_image(lab: &Lab) -> Outcome {
    let camera = lab.camera()?;
    let controls = camera.controls()?;
    let gain = controls.iter().find(|info| info.control == Control::Gain && info.writable);
    let Some(gain) = gain else { return Err(Stop::Skip("its gain cannot be set".into())) };
    let before = camera.control(Control::Gain)?;
    let value = if before < gain.max { (before + gain.step.max(1.0)).min(gain.max) } else { gain.min };
    camera.set_control(Control::Gain, value)?;
    let image = take(lab, &*camera);
    camera.set_control(Control::Gain, before)?;
    let written = image?.meta.gain;
    ensure!(written.is_some_and(|written| (written - value).abs() < 1e-3), "gain {value} is {written:?} in the image");
    Ok(())
}

fn a_taken_image_is_the_whole_image(lab: &Lab) -> Outcome {
    let camera = lab.camera()?;
    let image = take(lab, &*camera)?;
    let taken = camera.take_image()?;
    ensure!(taken.pixels() == image.pixels(), "the image that was taken is another");
    match camera.image() {
        Ok(kept) => ensure!(kept.pixels() == image.pixels(), "the image that was kept is another"),
        Err(error) => ensure!(error.kind() == ErrorKind::InvalidOperation, "after taking the image: {error:?}"),
    }
    let next = take(lab, &*camera)?;
    ensure!((next.width(), next.height()) == (image.width(), image.height()), "the next image is of another size");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mirrored_picture_does_not_correlate() {
        let pixels = (0..64 * 32).map(|n| if n % 64 < 16 && n / 64 < 8 { 500 } else { 10 }).collect();
        let image = Image::new(64, 32, Pixels::U16(pixels)).unwrap();
        let (means, columns) = blocks(&image, 0, 0, 64, 32);
        assert_eq!((means.len(), columns), (32, 8));
        assert_eq!((means[0], means[2]), (500.0, 10.0));
        assert!(correlation(&means, means.iter()) > 0.99);
        assert!(correlation(&means, means.chunks(columns).flat_map(|row| row.iter().rev())) < 0.1);
    }
}
