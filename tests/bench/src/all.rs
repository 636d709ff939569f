//! `all`: every measurement of the table, one after the other, interleaved with
//! the relay.
//!
//! Owns the order. Must not know the figures, or how one is measured.

use std::path::Path;

use anyhow::{Result, ensure};
use clap::Parser;

use crate::arguments::{All, Arguments};
use crate::binaries::{self, Daemons};
use crate::goals::{MEASUREMENTS, Measurement};
use crate::report::{self, Report};
use crate::table::{self, Came, Measured};
use crate::{dispatch, interrupt};

/// `all`
pub fn run(all: &All) -> Result<()> {
    interrupt::listen()?;
    let directory = match &all.binaries {
        Some(directory) => directory.clone(),
        None => {
            binaries::build(Daemons::Processes)?;
            binaries::build(Daemons::OneProcess)?
        }
    };
    let mut measured = Vec::with_capacity(MEASUREMENTS.len());
    for measurement in MEASUREMENTS {
        measured.push(one(measurement, all.quick, &directory)?);
    }
    println!("{}", table::markdown(&measured));
    let mut came = measured
        .iter()
        .flat_map(|one| one.shapes.iter().chain(&one.relay));
    ensure!(came.all(Result::is_ok), "not every measurement came about");
    Ok(())
}

/// Round by round, so that what is compared is measured at the same time.
fn one(measurement: &'static Measurement, quick: bool, directory: &Path) -> Result<Measured> {
    let (line, relay) = measurement.lines(quick);
    let binaries = ["--binaries".into(), directory.as_os_str().to_owned()];
    let words = |line: &str| -> Vec<std::ffi::OsString> {
        let words = std::iter::once("bench").chain(line.split(' '));
        words.map(Into::into).collect()
    };
    let imd = [words(line), binaries.to_vec()].concat();
    let processes = [imd.clone(), vec!["--processes".into()]].concat();
    let mut lines = vec![imd, processes];
    lines.extend(relay.as_deref().map(words));
    let mut reports: Vec<Result<Vec<Report>, String>> = vec![Ok(Vec::new()); lines.len()];
    let runs = if quick { 1 } else { measurement.runs };
    for round in 1..=runs {
        for (line, reports) in lines.iter().zip(&mut reports) {
            let Ok(so_far) = reports else { continue };
            interrupt::check()?;
            eprintln!("bench: run {round} of {runs}: {line:?}");
            match dispatch::measure(&Arguments::try_parse_from(line)?.bench) {
                Ok(report) => so_far.push(report),
                Err(e) => {
                    eprintln!("bench: {e:#}");
                    *reports = Err(format!("{e:#}"));
                }
            }
        }
    }
    let mut came = reports.into_iter().map(summary);
    let mut next = || {
        came.next()
            .unwrap_or_else(|| Err("nothing was run".to_owned()))
    };
    Ok(Measured {
        measurement,
        shapes: [next(), next()],
        relay: relay.map(|_| next()),
    })
}

fn summary(reports: Result<Vec<Report>, String>) -> Came {
    report::summary(&reports?).map_err(|e| e.to_string())
}
