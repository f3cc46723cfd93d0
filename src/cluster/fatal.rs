//! Lines in the log of IRIS after which starting it again cannot help, and what they mean.

/// A known line.
pub(super) struct Fatal {
    /// What the line holds.
    mark: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// What to do.
    pub hint: &'static str,
}

const KNOWN: &[Fatal] = &[
    Fatal {
        mark: "Error=-13",
        meaning: "IRIS may not write to its volume (Error=-13 is \"permission denied\"): the volume belongs to root, \
                  and its storage class does not pass it to the group 51773",
        hint: "use a storage class that honours fsGroup (--storage-class), or give the volumes to 51773:51773",
    },
    Fatal {
        mark: "Invalid Community Edition license",
        meaning: "the image's built-in Community licence has ended (it lasts a year from the release), \
                  or its node has more than 20 cores",
        hint: "use a newer image (--image), or a node with at most 20 cores",
    },
    Fatal {
        mark: "License limit",
        meaning: "all connections that the licence allows are in use (8 with the Community Edition)",
        hint: "end what is connected to this instance, then run it again",
    },
    Fatal {
        mark: "Required Linux capability",
        meaning: "images up to 2022.1 want Linux capabilities that this cluster takes away",
        hint: "use a newer image (--image)",
    },
    Fatal {
        mark: "#5001",
        meaning: "IRIS cannot create its data directory: the volume is not writable for the user 51773",
        hint: "use a storage class that honours fsGroup (--storage-class), or give the volumes to 51773:51773",
    },
];

/// The first known line in a log.
pub(super) fn find(log: &str) -> Option<&'static Fatal> {
    log.lines().find_map(|line| KNOWN.iter().find(|fatal| line.contains(fatal.mark)))
}
