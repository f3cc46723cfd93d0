//! What a plan is for.

use serde::Serialize;

/// What a plan is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verb {
    /// Brings a lab up.
    Up,
    /// Removes the workload.
    Down,
    /// Stops the cluster.
    Stop,
    /// Starts a cluster that was stopped.
    Start,
    /// Gives the volumes more room.
    Resize,
    /// Sets a new password.
    Password,
    /// Removes everything.
    Reset,
    /// Frees a namespace that does not end.
    Unstick,
    /// Mends what this host lacks.
    Doctor,
    /// Builds an image.
    #[serde(rename = "image build")]
    ImageBuild,
    /// Pushes an image.
    #[serde(rename = "image push")]
    ImagePush,
}

impl Verb {
    /// The command's name.
    pub fn name(self) -> &'static str {
        match self {
            Verb::Up => "up",
            Verb::Down => "down",
            Verb::Stop => "stop",
            Verb::Start => "start",
            Verb::Resize => "resize",
            Verb::Password => "password",
            Verb::Reset => "reset",
            Verb::Unstick => "unstick",
            Verb::Doctor => "doctor",
            Verb::ImageBuild => "image build",
            Verb::ImagePush => "image push",
        }
    }
}
