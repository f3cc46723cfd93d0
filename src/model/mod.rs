//! Plain data that all parts share: plans, facts, checks and events. No I/O, and nothing from the other modules but errors.

pub mod access;
pub mod address;
pub mod check;
pub mod cmd;
pub mod diff;
pub mod event;
pub mod facts;
pub mod host;
pub mod longhorn;
pub mod object;
pub mod plan;
pub mod quantity;
pub mod range;
pub mod shell;
pub mod sim;
pub mod status;
pub mod stuck;
pub mod target;
pub mod timeline;

pub use access::Access;
pub use check::{Check, Verdict};
pub use cmd::Cmd;
pub use diff::differs;
pub use event::{Event, StepEnd};
pub use facts::Facts;
pub use host::{HostFacts, HostObject};
pub use longhorn::{LonghornFacts, NodeName};
pub use object::ObjectRef;
pub use plan::{Action, Plan, Step, Trace, Verb};
pub use quantity::Quantity;
pub use range::LbNetwork;
pub use sim::SimSettings;
pub use status::{LabIdentity, LabState, Status};
pub use stuck::{Left, Stuck};
pub use target::{Link, WaitFor};
pub use timeline::Timeline;
