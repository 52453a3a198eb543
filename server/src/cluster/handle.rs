//! The one place through which the cluster's state is read and changed.

use std::path::Path;
use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};
use parking_lot::Mutex;
use slotcore::topology::NodeId;

use super::admin::AdminError;
use super::data::ClusterData;
use super::nodes_conf::{NodesFile, NodesFileError};
use super::settings::ClusterSettings;
use super::view::{ClusterState, ClusterView};
use crate::log;

/// The cluster's state: the snapshot that is in force, and the file that outlives the process.
#[derive(Debug)]
pub struct Cluster {
    view: ArcSwap<ClusterView>,
    /// Whoever holds it is the only one that changes the state.
    file: Mutex<NodesFile>,
}

/// Why a change was not made.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// The change makes no sense.
    #[error(transparent)]
    Refused(#[from] AdminError),
    /// It could not be written down, so it did not happen.
    #[error("ERR error saving the cluster node config: {0}")]
    NotSaved(#[from] NodesFileError),
}

impl Cluster {
    /// Locks and loads nodes.conf. Without one the node starts alone, under a new name, with no slots.
    pub fn open(path: &Path, settings: ClusterSettings) -> Result<Self, NodesFileError> {
        let mut file = NodesFile::lock(path)?;
        let data = match file.load()? {
            Some(conf) => {
                let data = ClusterData::from_conf(&conf, settings)
                    .expect("parse_conf passes no file without one myself, nor one with more nodes than an index counts");
                log::notice(format_args!("Node configuration loaded, I'm {}", data.me().id));
                data
            }
            None => {
                let data = ClusterData::alone(random_id(), settings);
                log::notice(format_args!(
                    "No cluster configuration found, I'm {}",
                    data.me().id
                ));
                data
            }
        };
        if let Some(primary) = data.me().primary {
            log::warning(format_args!(
                "{} makes this node a replica of {}; without replication it holds no data and redirects every request",
                path.display(),
                data.node(primary).id
            ));
        }
        let mut data = data;
        data.state_ok = data.could_serve();
        // The configuration may have given us another address than the file had.
        file.save(&data.to_conf())?;
        let view = ClusterView::new(data, 0);
        if view.state() == ClusterState::Ok {
            log_state(&view);
        }
        Ok(Self {
            view: ArcSwap::from_pointee(view),
            file: Mutex::new(file),
        })
    }

    /// The snapshot that is in force. One load; hold it for a batch, not longer.
    #[inline]
    pub fn view(&self) -> Guard<Arc<ClusterView>> {
        self.view.load()
    }

    /// Changes the state: a copy is changed, saved, and only then put in force. On an error nothing has changed.
    pub fn change<T>(
        &self,
        change: impl FnOnce(&mut ClusterData) -> Result<T, AdminError>,
    ) -> Result<T, ChangeError> {
        let mut file = self.file.lock();
        let before = self.view.load_full();
        let mut data = before.data().clone();
        let outcome = change(&mut data)?;
        data.state_ok = data.could_serve();
        file.save(&data.to_conf())?;
        let view = ClusterView::new(data, before.version() + 1);
        if view.state() != before.state() {
            log_state(&view);
        }
        self.view.store(Arc::new(view));
        Ok(outcome)
    }

    /// Takes over directives that CONFIG SET has changed.
    pub fn reconfigure(&self, settings: ClusterSettings) -> Result<(), ChangeError> {
        if self.view().data().settings == settings {
            return Ok(());
        }
        self.change(|data| {
            data.apply(settings);
            Ok(())
        })
    }

    /// SAVECONFIG: writes nodes.conf once more.
    pub fn save(&self) -> Result<(), ChangeError> {
        let mut file = self.file.lock();
        Ok(file.save(&self.view().data().to_conf())?)
    }
}

/// A name that no other node has, but for a chance of 2^-160.
pub fn random_id() -> NodeId {
    NodeId::from_random(rand::random())
}

/// Harnesses wait for this line.
fn log_state(view: &ClusterView) {
    log::warning(format_args!("Cluster state changed: {}", view.state().name()));
}
