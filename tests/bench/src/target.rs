//! What is measured: the processes of a cluster, or the relay.
//!
//! Owns the processes, their ports and their data, and ends them when it is
//! dropped. Must not know load.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::arguments::Cluster;
use crate::binaries::{self, Daemons};
use crate::{admin, cpu, interrupt, memory};

const START_PATIENCE: Duration = Duration::from_secs(30);
const STOP_PATIENCE: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(10);
/// Ports for listening: below those that the system gives to connections.
const PORTS: std::ops::Range<u16> = 10_000..32_000;

/// The processes that are measured.
pub struct Target {
    processes: Vec<Process>,
    /// Where clients connect.
    pub gateways: Vec<SocketAddr>,
    /// Who counts requests to friendd.
    askers: Vec<SocketAddr>,
    /// Goes when all processes have ended.
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
    pub fn cluster(cluster: &Cluster, friends_only: bool) -> Result<Self> {
        let directory = match &cluster.binaries {
            Some(directory) => directory.clone(),
            None if cluster.processes => binaries::build(Daemons::Processes)?,
            None => binaries::build(Daemons::OneProcess)?,
        };
        let mut target = Self::empty()?;
        let mut ports = Ports::default();
        let policy = if friends_only { "friends" } else { "open" };
        if cluster.processes {
            target.start_processes(&directory, cluster, policy, &mut ports)?;
        } else {
            target.start_imd(&directory, policy, &mut ports)?;
        }
        target.wait_ready()?;
        Ok(target)
    }

    /// Starts the relay, and waits until it is ready.
    pub fn relay() -> Result<Self> {
        let mut target = Self::empty()?;
        let listen = Ports::default().next()?;
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("relay-server").option("--listen", listen);
        target.start("relay", command, Probe::Connect(listen))?;
        target.gateways.push(listen);
        target.wait_ready()?;
        Ok(target)
    }

    fn empty() -> Result<Self> {
        Ok(Self {
            processes: Vec::new(),
            gateways: Vec::new(),
            askers: Vec::new(),
            data: tempfile::tempdir()?,
        })
    }

    fn start_imd(&mut self, directory: &Path, policy: &str, ports: &mut Ports) -> Result<()> {
        let (listen, admin) = (ports.next()?, ports.next()?);
        let mut command = Command::new(directory.join("imd"));
        command
            .option("--listen", listen)
            .option("--admin", admin)
            .arg("--data")
            .arg(self.data.path())
            .args(["--log", "warn", "--policy", policy]);
        self.gateways.push(listen);
        self.askers.push(admin);
        self.start("imd", command, Probe::Ready(admin))
    }

    fn start_processes(
        &mut self,
        directory: &Path,
        cluster: &Cluster,
        policy: &str,
        ports: &mut Ports,
    ) -> Result<()> {
        let (friendd, admin) = (ports.next()?, ports.next()?);
        let mut command = Command::new(directory.join("friendd"));
        command
            .option("--listen", friendd)
            .option("--admin", admin)
            .arg("--data")
            .arg(self.data.path().join("friendd"))
            .args(["--log", "warn"]);
        self.start("friendd", command, Probe::Ready(admin))?;

        let shards = (1..=cluster.msgds.get())
            .map(|number| Ok((format!("m{number}"), ports.next()?)))
            .collect::<Result<Vec<_>>>()?;
        let ring: Vec<String> = shards
            .iter()
            .flat_map(|(name, listen)| ["--shard".to_owned(), format!("{name}={listen}")])
            .collect();
        for (name, listen) in &shards {
            let admin = ports.next()?;
            let mut command = Command::new(directory.join("msgd"));
            command
                .args(["--name", name])
                .option("--listen", *listen)
                .option("--admin", admin)
                .option("--friendd", friendd)
                .arg("--data")
                .arg(self.data.path().join(name))
                .args(&ring)
                .args(["--log", "warn", "--policy", policy]);
            self.askers.push(admin);
            self.start("msgd", command, Probe::Ready(admin))?;
        }
        for _ in 0..cluster.connds.get() {
            let (listen, admin) = (ports.next()?, ports.next()?);
            let mut command = Command::new(directory.join("connd"));
            command
                .option("--listen", listen)
                .option("--admin", admin)
                .args(&ring)
                .args(["--log", "warn"]);
            self.gateways.push(listen);
            self.start("connd", command, Probe::Ready(admin))?;
        }
        Ok(())
    }

    fn start(&mut self, part: &'static str, mut command: Command, probe: Probe) -> Result<()> {
        eprintln!("bench: starting {command:?}");
        let child = command
            .stdin(Stdio::null())
            .stdout(binaries::stderr()?)
            .spawn()
            .with_context(|| format!("starting {part}"))?;
        self.processes.push(Process { part, child, probe });
        Ok(())
    }

    fn wait_ready(&mut self) -> Result<()> {
        let began = Instant::now();
        for process in &mut self.processes {
            while !process.probe.succeeds() {
                process.check()?;
                let part = process.part;
                ensure!(
                    began.elapsed() < START_PATIENCE,
                    "{part} is not ready in time"
                );
                interrupt::check()?;
                thread::sleep(POLL);
            }
        }
        Ok(())
    }

    /// An error if a process has ended.
    pub fn check(&mut self) -> Result<()> {
        self.processes.iter_mut().try_for_each(Process::check)
    }

    /// The processor time of every process by now.
    pub fn cpu(&self) -> Result<CpuSamples> {
        let sample = |process: &Process| Ok(cpu::Sample::take(process.child.id())?);
        let samples: Result<_> = self.processes.iter().map(sample).collect();
        Ok(CpuSamples(samples?))
    }

    /// The memory of all processes by now, in bytes.
    pub fn pss_bytes(&self) -> Result<u64> {
        let pss = |process: &Process| Ok(memory::pss_bytes(process.child.id())?);
        self.processes.iter().map(pss).sum()
    }

    /// The processor time between two samples of this target.
    pub fn cpu_spent(&self, before: &CpuSamples, after: &CpuSamples) -> CpuSpent {
        let mut all = CpuSpent::default();
        for ((process, before), after) in self.processes.iter().zip(&before.0).zip(&after.0) {
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

    /// How many requests friendd got; `None` where nobody counts them.
    pub fn friendd_requests(&self) -> Result<Option<u64>> {
        let mut requests = None;
        for asker in &self.askers {
            let count = admin::counter(*asker, "msgd_friendd_requests_total")?;
            requests = requests
                .or(count.map(|_| 0))
                .map(|n: u64| n + count.unwrap_or(0));
        }
        Ok(requests)
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        // Who was started last needs the others.
        while let Some(process) = self.processes.pop() {
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

/// How a process shows that it serves.
enum Probe {
    /// By its admin port.
    Ready(SocketAddr),
    /// By taking a connection.
    Connect(SocketAddr),
}

impl Probe {
    fn succeeds(&self) -> bool {
        match self {
            Self::Ready(admin) => admin::is_ready(*admin),
            Self::Connect(address) => TcpStream::connect(address).is_ok(),
        }
    }
}

struct Process {
    part: &'static str,
    child: Child,
    probe: Probe,
}

impl Process {
    fn check(&mut self) -> Result<()> {
        if let Some(status) = self.child.try_wait()? {
            bail!("{} has ended: {status}", self.part);
        }
        Ok(())
    }

    fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.has_ended() {
            return;
        }
        let pid = Pid::from_child(&self.child);
        // An error means that it has just ended.
        let _ = kill_process(pid, Signal::TERM);
        let began = Instant::now();
        while !self.has_ended() {
            if began.elapsed() > STOP_PATIENCE {
                eprintln!("bench: {} does not stop, it is killed", self.part);
                let _ = self.child.kill();
                let _ = self.child.wait();
                return;
            }
            thread::sleep(POLL);
        }
    }
}

/// Free ports of this machine, each given once.
#[derive(Default)]
struct Ports(Vec<u16>);

impl Ports {
    fn next(&mut self) -> Result<SocketAddr> {
        for _ in 0..1_000 {
            let port = fastrand::u16(PORTS);
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            if !self.0.contains(&port) && TcpListener::bind(address).is_ok() {
                self.0.push(port);
                return Ok(address);
            }
        }
        bail!("no free port in {PORTS:?}")
    }
}

trait Options {
    fn option(&mut self, name: &str, address: SocketAddr) -> &mut Self;
}

impl Options for Command {
    fn option(&mut self, name: &str, address: SocketAddr) -> &mut Self {
        self.arg(name).arg(address.to_string())
    }
}
