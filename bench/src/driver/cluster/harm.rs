//! Doing harm to a node of a running cluster, and undoing it.

use std::time::{Duration, Instant};

use anyhow::Context;
use rustix::process::Signal;

use super::{LocalCluster, POLL};
use crate::driver::process::NodeProcess;
use crate::load::HostPort;

/// A node that has been asked to end and has not by then is killed before it is started again.
const ENDS_WITHIN: Duration = Duration::from_secs(10);

impl LocalCluster {
    fn index_of(&self, addr: &HostPort) -> anyhow::Result<usize> {
        self.nodes
            .iter()
            .position(|node| node.addr == *addr)
            .with_context(|| format!("{addr} is none of the nodes that loadgen has started"))
    }

    fn process(&mut self, addr: &HostPort) -> anyhow::Result<&mut NodeProcess> {
        let index = self.index_of(addr)?;
        Ok(&mut self.processes[index])
    }

    /// SIGKILL.
    pub fn kill(&mut self, addr: &HostPort) -> anyhow::Result<()> {
        self.process(addr)?.kill();
        Ok(())
    }

    /// SIGTERM; it ends when it is ready to.
    pub fn terminate(&mut self, addr: &HostPort) -> anyhow::Result<()> {
        self.process(addr)?.signal(Signal::TERM);
        Ok(())
    }

    /// SIGSTOP.
    pub fn stop(&mut self, addr: &HostPort) -> anyhow::Result<()> {
        self.process(addr)?.signal(Signal::STOP);
        Ok(())
    }

    /// SIGCONT.
    pub fn resume(&mut self, addr: &HostPort) -> anyhow::Result<()> {
        self.process(addr)?.signal(Signal::CONT);
        Ok(())
    }

    /// Starts a node that has ended once more, with its files. Call it from the thread that launched the cluster.
    pub fn restart(&mut self, addr: &HostPort) -> anyhow::Result<()> {
        let index = self.index_of(addr)?;
        let deadline = Instant::now() + ENDS_WITHIN;
        while self.processes[index].ended().is_none() {
            if Instant::now() > deadline {
                self.processes[index].kill();
            }
            std::thread::sleep(POLL);
        }
        self.processes[index] = self
            .spawn(index)
            .with_context(|| format!("cannot start {addr} again"))?;
        Ok(())
    }

    /// Makes the calling thread, and those it starts, see the nodes' network, if they have one of their own.
    pub fn enter_network(&self) -> anyhow::Result<()> {
        match &self.network {
            Some(network) => Ok(network.move_to_hub()?),
            None => Ok(()),
        }
    }

    /// Cuts a node off from everybody; where it has no network of its own it is stopped instead, which the text says.
    pub fn cut_off(&mut self, addr: &HostPort) -> anyhow::Result<Option<String>> {
        let index = self.index_of(addr)?;
        match &self.network {
            Some(network) => {
                network.cut_off(index)?;
                Ok(None)
            }
            None => {
                self.stop(addr)?;
                Ok(Some(
                    "the node was stopped (SIGSTOP) instead of cut off: network namespaces need root and iproute2".to_owned(),
                ))
            }
        }
    }

    /// Ends [`LocalCluster::cut_off`].
    pub fn reconnect(&mut self, addr: &HostPort) -> anyhow::Result<()> {
        let index = self.index_of(addr)?;
        match &self.network {
            Some(network) => Ok(network.reconnect(index)?),
            None => self.resume(addr),
        }
    }
}
