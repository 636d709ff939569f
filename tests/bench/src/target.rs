//! What is measured: the processes of a cluster, or the relay.
//!
//! Owns the processes and their data, and ends them when it is dropped. Must
//! not know load.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::arguments::Cluster;
use crate::binaries;
use crate::growth::Held;
use crate::launch::{Daemons, Launch};
use crate::ports::Ports;
use crate::process::{Probe, Process};
use crate::{admin, bound, cpu, memory};

const START_PATIENCE: Duration = Duration::from_secs(30);

/// The processes that are measured.
pub struct Target {
    processes: Processes,
    /// Where clients connect.
    pub gateways: Vec<SocketAddr>,
    registry: Option<String>,
    programs: PathBuf,
    /// Goes when all processes have ended: fields are dropped in their order.
    data: TempDir,
}

/// The processor time of every process at one moment.
pub struct CpuSamples(Vec<cpu::Sample>);

/// Processor time of all processes, in nanoseconds.
#[derive(Default)]
pub struct CpuSpent {
    /// By part: the process's name.
    pub by_part: BTreeMap<&'static str, u64>,
    /// By part and thread.
    pub by_thread: BTreeMap<String, u64>,
    /// Threads that ended in between and are not in these.
    pub threads_ended: u64,
}

impl Target {
    /// Starts imd, or connds, msgds and a friendd, and waits until they are
    /// ready.
    pub fn cluster(cluster: &Cluster, launch: &Launch) -> Result<Self> {
        Self::on(tempfile::tempdir()?, cluster, launch)
    }

    /// Stops all, and starts them again with other settings on the same data.
    pub fn relaunch(self, cluster: &Cluster, launch: &Launch) -> Result<Self> {
        let Self {
            processes, data, ..
        } = self;
        drop(processes);
        Self::on(data, cluster, launch)
    }

    fn on(data: TempDir, cluster: &Cluster, launch: &Launch) -> Result<Self> {
        let programs = programs(cluster)?;
        let daemons = Daemons::start(&programs, cluster, launch, &data.path().join("store"))?;
        let mut target = Self {
            processes: Processes(daemons.processes),
            gateways: daemons.gateways,
            registry: daemons.registry,
            programs,
            data,
        };
        target.wait_ready()?;
        Ok(target)
    }

    /// Starts the relay, from each to its peer or from each to all, and waits
    /// until it is ready.
    pub fn relay(all: bool) -> Result<Self> {
        let listen = Ports::default().next()?;
        let mut command = Command::new(std::env::current_exe()?);
        command
            .arg("relay-server")
            .arg("--listen")
            .arg(listen.to_string())
            .args(all.then_some("--all"));
        let process = Process::start("relay", command, Probe::Connect(listen))?;
        let mut target = Self {
            processes: Processes(vec![process]),
            gateways: vec![listen],
            registry: None,
            programs: PathBuf::new(),
            data: tempfile::tempdir()?,
        };
        target.wait_ready()?;
        Ok(target)
    }

    /// A directory that goes with the processes; what is in it they leave
    /// alone.
    pub fn directory(&self) -> &Path {
        self.data.path()
    }

    /// Where daemons find each other, if they do.
    pub fn registry(&self) -> Option<&str> {
        self.registry.as_deref()
    }

    /// A program that is beside the daemons.
    pub fn program(&self, name: &str) -> PathBuf {
        self.programs.join(name)
    }

    /// Waits until every process serves.
    fn wait_ready(&mut self) -> Result<()> {
        let deadline = Instant::now() + START_PATIENCE;
        let mut processes = self.processes.0.iter_mut();
        processes.try_for_each(|process| process.wait_ready(deadline))
    }

    /// Kills the first process of a part as a crash would.
    pub fn kill(&mut self, part: &str) -> Result<()> {
        self.first(part)?.kill()
    }

    /// Likewise; it is not measured any more, and does not come back.
    pub fn lose(&mut self, part: &str) -> Result<()> {
        self.kill(part)?;
        let processes = &mut self.processes.0;
        let at = processes.iter().position(|process| process.part == part);
        // It was there when it was killed.
        at.map(|at| processes.remove(at));
        Ok(())
    }

    /// Tells the first process of a part to stop; returns before it has.
    pub fn terminate(&mut self, part: &str) -> Result<()> {
        self.first(part)?.terminate()
    }

    /// Whether the first process of a part has ended.
    pub fn has_ended(&mut self, part: &str) -> Result<bool> {
        Ok(self.first(part)?.has_ended())
    }

    /// The memory of the first process of a part by now.
    pub fn held(&mut self, part: &str) -> Result<Held> {
        let pid = self.first(part)?.id();
        Ok(Held {
            pss: memory::pss_bytes(pid)?,
            rss: memory::rss_bytes(pid)?,
        })
    }

    /// Starts it again on its data; returns before it serves.
    pub fn start_again(&mut self, part: &str) -> Result<()> {
        self.first(part)?.start_again()
    }

    fn first(&mut self, part: &str) -> Result<&mut Process> {
        let mut processes = self.processes.0.iter_mut();
        processes
            .find(|process| process.part == part)
            .with_context(|| format!("there is no {part}"))
    }

    /// An error if a process has ended.
    pub fn check(&mut self) -> Result<()> {
        self.processes.0.iter_mut().try_for_each(Process::check)
    }

    /// The processor time of every process by now.
    pub fn cpu(&self) -> Result<CpuSamples> {
        let sample = |process: &Process| Ok(cpu::Sample::take(process.id())?);
        let samples: Result<_> = self.processes.0.iter().map(sample).collect();
        Ok(CpuSamples(samples?))
    }

    /// The memory of all processes by now, in bytes.
    pub fn pss_bytes(&self) -> Result<u64> {
        let pss = |process: &Process| Ok(memory::pss_bytes(process.id())?);
        self.processes.0.iter().map(pss).sum()
    }

    /// The most memory that each process ever held, together, in bytes.
    pub fn memory_peak(&self) -> Result<u64> {
        let peak = |process: &Process| Ok(memory::peak_bytes(process.id())?);
        self.processes.0.iter().map(peak).sum()
    }

    /// What the processes say that these parts of their memory take at most,
    /// in bytes.
    pub fn memory_bound(&self, parts: &[&str]) -> Result<u64> {
        let bound = |process: &Process| Ok(bound::sum(&process.settings()?, parts));
        self.processes.0.iter().map(bound).sum()
    }

    /// The processor time between two samples of this target.
    pub fn cpu_spent(&self, before: &CpuSamples, after: &CpuSamples) -> CpuSpent {
        let mut all = CpuSpent::default();
        for ((process, before), after) in self.processes.0.iter().zip(&before.0).zip(&after.0) {
            let spent = after.since(before);
            *all.by_part.entry(process.part).or_default() += spent.total_ns();
            for (thread, nanos) in spent.nanos_by_thread {
                let thread = format!("{}/{thread}", process.part);
                *all.by_thread.entry(thread).or_default() += nanos;
            }
            all.threads_ended += spent.threads_ended;
        }
        all
    }

    /// A counter, summed over all processes; `None` where nobody counts it. The
    /// name goes without prefix.
    pub fn counter(&self, name: &str) -> Result<Option<u64>> {
        let mut sum = None;
        for admin in self.processes.0.iter().filter_map(Process::admin) {
            let count = admin::counter(admin, name)?;
            sum = sum
                .or(count.map(|_| 0))
                .map(|n: u64| n + count.unwrap_or(0));
        }
        Ok(sum)
    }

    /// How many requests friendd got; `None` where nobody counts them.
    pub fn friendd_requests(&self) -> Result<Option<u64>> {
        self.counter("msgd_friendd_requests_total")
    }
}

/// Where the daemons are; they are built first unless the command line says
/// where they are.
fn programs(cluster: &Cluster) -> Result<PathBuf> {
    match &cluster.binaries {
        Some(directory) => Ok(directory.clone()),
        None if cluster.processes => binaries::build(binaries::Daemons::Processes),
        None => binaries::build(binaries::Daemons::OneProcess),
    }
}

/// Ends them when it is dropped, in the order that they need.
struct Processes(Vec<Process>);

impl Drop for Processes {
    fn drop(&mut self) {
        // Who was started last needs the others.
        while let Some(process) = self.0.pop() {
            drop(process);
        }
    }
}

impl CpuSamples {
    /// All processes together, in nanoseconds.
    pub fn total_ns(&self) -> u64 {
        self.0.iter().map(cpu::Sample::total_ns).sum()
    }
}
