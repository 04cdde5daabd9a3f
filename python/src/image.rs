//! Pictures: the library's own pixels as NumPy arrays, and FITS.

use crate::{
    call::Call,
    choice::{Choice, Verdict},
    error::{Invalid, raise},
    moment::datetime,
    place::Frame,
    record::into,
    whole::whole,
};
use astrobackend::{
    Error, ErrorKind, each_pixel_type,
    fits::{self, Header, Value},
    image::Pixels,
    observation::Observation,
    preview,
    rig::Picture,
};
use pyo3::{
    prelude::*,
    types::{PyBytes, PyDict, PyTuple},
};
use std::{io::Write as _, path::PathBuf, sync::Arc};

/// A picture as the camera delivered it; it cannot be changed.
///
/// `numpy.asarray(image)` and `image.data` show the pixels where they are, without a copy: rows and columns, the
/// first row first; a colour picture has red, green and blue planes in front. `numpy.array(image)` is a copy to
/// work on.
#[pyclass(frozen, module = "astrobackend")]
#[derive(Debug)]
pub(crate) struct Image {
    image: Arc<astrobackend::Image>,
    observation: Observation,
    warnings: Vec<Error>,
}

impl Image {
    /// A picture of which only the camera told.
    pub(crate) fn plain(image: Arc<astrobackend::Image>) -> Self {
        Image { image, observation: Observation::default(), warnings: Vec::new() }
    }

    /// A picture with everything that was known about the telescope.
    pub(crate) fn taken(picture: Picture) -> Self {
        Image { image: picture.image, observation: picture.observation, warnings: picture.warnings }
    }

    fn full_header(&self) -> Header {
        fits::header(&self.image, &self.observation)
    }
}

/// A call that reads or writes a file: a network's disk may hang.
fn files(what: &'static str) -> Call {
    Call { what, ..Call::default() }
}

fn value<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    match value {
        Value::Logical(value) => into(py, *value),
        Value::Integer(value) => into(py, *value),
        Value::Real(value) => into(py, *value),
        Value::Text(value) => into(py, value),
        _ => into(py, py.None()),
    }
}

#[pymethods]
impl Image {
    /// Columns.
    #[getter]
    fn width(&self) -> u32 {
        self.image.width()
    }

    /// Rows.
    #[getter]
    fn height(&self) -> u32 {
        self.image.height()
    }

    /// 1 for mono and Bayer, 3 for red, green and blue.
    #[getter]
    fn planes(&self) -> u8 {
        self.image.planes()
    }

    /// The array's shape: (rows, columns), or (planes, rows, columns).
    #[getter]
    fn shape<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let (planes, rows, columns) = (self.planes(), self.height(), self.width());
        match planes {
            1 => (rows, columns).into_pyobject(py),
            _ => (planes, rows, columns).into_pyobject(py),
        }
    }

    /// The type of a pixel in NumPy's words: `uint16`, `float32` ...
    #[getter]
    fn dtype(&self) -> String {
        let name = self.image.pixels().type_name();
        let kind = match name.as_bytes()[0] {
            b'u' => "uint",
            b'f' => "float",
            _ => "int",
        };
        format!("{kind}{}", &name[1..])
    }

    /// The pixels as a read-only NumPy array on the picture's own memory.
    #[getter]
    fn data<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("numpy")?.call_method1("asarray", (slf,))
    }

    /// What NumPy and others read the pixels by (the array interface protocol, version 3).
    #[getter]
    fn __array_interface__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let pixels = self.image.pixels();
        let address = each_pixel_type!(pixels, pixels => pixels.as_ptr() as usize);
        let kind = match pixels {
            Pixels::U8(_) | Pixels::U16(_) | Pixels::U32(_) | Pixels::U64(_) => 'u',
            Pixels::I16(_) | Pixels::I32(_) | Pixels::I64(_) => 'i',
            Pixels::F32(_) | Pixels::F64(_) => 'f',
        };
        let order = if cfg!(target_endian = "big") { '>' } else { '<' };
        let interface = PyDict::new(py);
        interface.set_item("version", 3)?;
        interface.set_item("shape", self.shape(py)?)?;
        interface.set_item("typestr", format!("{order}{kind}{}", pixels.bytes_per_pixel()))?;
        interface.set_item("data", (address, true))?;
        Ok(interface)
    }

    /// The FITS header by keyword; `COMMENT` and `HISTORY` are lists of lines.
    #[getter]
    fn header<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let header = PyDict::new(py);
        for card in self.full_header().cards() {
            match card.keyword.as_str() {
                "" => {}
                keyword @ ("COMMENT" | "HISTORY") => {
                    if !header.contains(keyword)? {
                        header.set_item(keyword, pyo3::types::PyList::empty(py))?;
                    }
                    header.as_any().get_item(keyword)?.call_method1("append", (&card.comment,))?;
                }
                keyword => header.set_item(keyword, value(py, &card.value)?)?,
            }
        }
        Ok(header)
    }

    /// The cards of the FITS header in their order: keyword, value and comment.
    #[getter]
    fn cards<'py>(&self, py: Python<'py>) -> PyResult<Vec<(String, Bound<'py, PyAny>, String)>> {
        let header = self.full_header();
        let cards = header.cards().iter();
        cards.map(|card| Ok((card.keyword.clone(), value(py, &card.value)?, card.comment.clone()))).collect()
    }

    /// Seconds that the sensor was exposed.
    #[getter]
    fn exposure(&self) -> Option<f64> {
        self.image.meta.exposure.map(|exposure| exposure.as_secs_f64())
    }

    /// UTC at which the exposure began.
    #[getter]
    fn start<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.image.meta.start.map(|start| datetime(py, start)).transpose()
    }

    /// Light, dark, bias or flat.
    #[getter]
    fn frame_type<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.image.meta.frame_type.map(|kind| kind.member(py)).transpose()
    }

    /// Region and binning.
    #[getter]
    fn frame(&self) -> Option<Frame> {
        self.image.meta.frame.map(Frame)
    }

    /// The colours in front of the first 2x2 pixels, such as `RGGB`.
    #[getter]
    fn bayer(&self) -> Option<String> {
        self.image.meta.bayer.map(|pattern| pattern.to_string())
    }

    /// The number of the exposure, from 1 on since the camera was opened.
    #[getter]
    fn exposure_number(&self) -> Option<u64> {
        self.image.meta.exposure_number
    }

    /// What the frame guard thinks of the picture: OK, suspect or bad; `None` when it was not judged.
    #[getter]
    fn verdict<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.image.meta.verdict.as_ref().map(|verdict| Verdict::from(verdict).member(py)).transpose()
    }

    /// What is wrong with the picture; `None` when nothing is.
    #[getter]
    fn verdict_reason(&self) -> Option<&str> {
        self.image.meta.verdict.as_ref().and_then(|verdict| verdict.why())
    }

    /// What went wrong beside the picture: accessories that did not answer, complaints of the driver.
    #[getter]
    fn warnings(&self) -> Vec<String> {
        self.warnings.iter().map(Error::to_string).collect()
    }

    /// Writes a FITS file; it appears whole or not at all.
    #[pyo3(signature = (path, *, overwrite=false))]
    fn to_fits(&self, py: Python<'_>, path: PathBuf, overwrite: bool) -> PyResult<()> {
        let (image, header) = (self.image.clone(), self.full_header());
        files("writing the file").run(py, move || fits::write(path, &image, &header, overwrite))
    }

    /// The FITS file as bytes.
    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let file = py.detach(|| fits::to_vec(&self.image, &self.full_header()));
        PyBytes::new_with_writer(py, file.len(), |writer| Ok(writer.write_all(&file)?))
    }

    /// The picture in a FITS file that is given as bytes.
    #[staticmethod]
    fn from_bytes(py: Python<'_>, fits: &[u8]) -> PyResult<Self> {
        let (image, _) = raise(py.detach(|| fits::parse(fits)))?;
        Ok(Image::plain(Arc::new(image)))
    }

    /// The picture in a FITS file.
    #[staticmethod]
    fn read(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        let (image, _) = files("reading the file").run(py, move || {
            let found = fits::read(path);
            // A missing file is a file that cannot be read, for Python.
            found.map_err(|error| match error.kind() {
                ErrorKind::NotFound => Error::new(ErrorKind::Io, error.message().to_owned()),
                _ => error,
            })
        })?;
        Ok(Image::plain(Arc::new(image)))
    }

    /// Writes a stretched preview as PNG, no larger than `max_edge` pixels either way.
    #[pyo3(signature = (path, *, max_edge=None, overwrite=false))]
    fn to_png(
        &self,
        py: Python<'_>,
        path: PathBuf,
        #[pyo3(from_py_with = whole)] max_edge: Option<u32>,
        overwrite: bool,
    ) -> PyResult<()> {
        if max_edge == Some(0) {
            return Err(Invalid("a preview has at least one pixel".into()).into());
        }
        let options = preview::Options { max_edge, ..preview::Options::default() };
        let image = self.image.clone();
        files("writing the file").run(py, move || preview::render(&image, &options)?.write_png(path, overwrite))
    }

    /// A copy as astropy's `HDUList` with one image, as if the FITS file had been read.
    fn to_hdulist<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("astrobackend._astropy")?.call_method1("hdulist", (slf,))
    }

    /// The picture as astropy's `CCDData`, in ADU.
    fn to_ccddata<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("astrobackend._astropy")?.call_method1("ccddata", (slf,))
    }

    /// A picture is pickled as its FITS file.
    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, (Bound<'py, PyBytes>,))> {
        let py = slf.py();
        Ok((py.get_type::<Image>().getattr("from_bytes")?, (slf.get().to_bytes(py)?,)))
    }

    fn __repr__(&self) -> String {
        let planes = if self.planes() == 1 { String::new() } else { format!(" x {}", self.planes()) };
        format!("<Image {} x {}{planes} {}>", self.width(), self.height(), self.dtype())
    }
}
