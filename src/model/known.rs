//! Lines in logs, events and errors whose meaning is known, and what to do: those of IRIS, and those of Longhorn.

use super::diagnosis::Cause;

/// A known line.
pub struct Known {
    /// What is wrong.
    pub cause: Cause,
    /// What the line holds: one of these.
    marks: &'static [&'static str],
    /// What it means.
    pub meaning: &'static str,
    /// What to do.
    pub hint: &'static str,
}

const NOT_WRITABLE: &str =
    "use a storage class that honours fsGroup (--storage-class), or give the volumes to 51773:51773";

/// The more one says about a cause, the earlier it stands. Sources: messages as users report them.
const IRIS: &[Known] = &[
    Known {
        cause: Cause::NotWritable,
        marks: &["Error=-13"],
        meaning: "IRIS may not write to its volume (Error=-13 is \"permission denied\"): the volume belongs to root, \
                  and its storage class does not pass it to the group 51773",
        hint: NOT_WRITABLE,
    },
    Known {
        cause: Cause::NotWritable,
        marks: &["Cannot create target"],
        meaning: "IRIS cannot create its data directory: the volume is not writable for the user 51773",
        hint: NOT_WRITABLE,
    },
    Known {
        cause: Cause::LicenceExpired,
        marks: &["Invalid Community Edition license"],
        meaning: "the image's built-in Community licence has ended (it lasts a year from the release), \
                  or its node has more than 20 cores",
        hint: "use a newer image (--image), or a node with at most 20 cores",
    },
    Known {
        cause: Cause::CapabilityMissing,
        marks: &["Required Linux capability"],
        meaning: "images up to 2022.1 want Linux capabilities that this cluster takes away",
        hint: "use a newer image (--image)",
    },
    Known {
        cause: Cause::WebServer,
        marks: &["<NOTOPEN>WebServer"],
        meaning: "the merge file says WebServer=1, and a licensed image has no web server since 2023.2",
        hint: "take WebServer out of spec.iris.cpf.startup, or use a Community image (--image)",
    },
    Known {
        cause: Cause::LicenceLimit,
        marks: &["License limit", "LICENSE LIMIT"],
        meaning: "all connections that the licence allows were in use (8 with the Community Edition)",
        hint: "end what is connected to this instance, then run it again",
    },
    Known {
        cause: Cause::PasswordChange,
        marks: &["Password change required", "password has expired"],
        meaning: "a user has to change the password before anything else, and programs cannot do that",
        hint: "end that for the user in IRIS, or set the password anew",
    },
];

/// Sources: the manager's and the engine's code at v1.2.6, and open-iscsi's messages as users of Longhorn report them.
const LONGHORN: &[Known] = &[
    Known {
        cause: Cause::NotPrepared,
        marks: &["iscsiadm/open-iscsi"],
        meaning: "the node has no iscsiadm, and Longhorn attaches volumes by iSCSI",
        hint: "install open-iscsi on that node (the package is iscsi-initiator-utils on Red Hat's systems), then run it again",
    },
    Known {
        cause: Cause::NotPrepared,
        marks: &["no related proc for root-dir detection"],
        meaning: "Longhorn cannot find out the kubelets' root directory: no process of the node is called kubelet",
        hint: "name the directory: kubectl set env -n longhorn-system deployment/longhorn-driver-deployer \
               KUBELET_ROOT_DIR=/var/lib/kubelet (or where your kubelets keep it), then run it again",
    },
    Known {
        cause: Cause::NotPrepared,
        marks: &["sendmsg: bug? ctrl_fd"],
        meaning: "iscsid cannot reach the kernel: iSCSI's netlink socket exists only in the host's own network namespace, and this \
                  node has another one (it is a container)",
        hint: "use nodes that are machines (microk8s, or virtual machines) instead of containers, or leave Longhorn out",
    },
    Known {
        cause: Cause::NotPrepared,
        marks: &["can not connect to iSCSI daemon"],
        meaning: "iscsid does not run on the node; where nodes are containers it cannot run",
        hint: "start it on the node: systemctl enable --now iscsid; nodes that are containers cannot use Longhorn",
    },
    Known {
        cause: Cause::NotPrepared,
        marks: &["could not find module by name='iscsi_tcp'"],
        meaning: "the node's kernel has no module iscsi_tcp",
        hint: "load it on the node: modprobe iscsi_tcp (the kernels of WSL2 and Docker Desktop have none)",
    },
    Known {
        cause: Cause::NotPrepared,
        marks: &["NETLINK_ISCSI socket [Protocol not supported]"],
        meaning: "the node's kernel knows no iSCSI: its module iscsi_tcp is missing",
        hint: "load it on the node: modprobe iscsi_tcp (the kernels of WSL2 and Docker Desktop have none)",
    },
    Known {
        cause: Cause::NotPrepared,
        marks: &["already mounted or mount point busy"],
        meaning: "something else holds the volume's disk on the node: most often multipathd, which takes every sd* device",
        hint: "on the node, disable multipathd.service and multipathd.socket, or blacklist devnode \"^sd[a-z0-9]+\" in \
               /etc/multipath.conf and restart it",
    },
    Known {
        cause: Cause::NotPrepared,
        marks: &["No route to host"],
        meaning: "the node cannot reach the volume's pod: a firewall is in the way, or iSCSI is bound to another network interface",
        hint: "on the node, look at `iscsiadm -m iface` and at the firewall: pods must be reachable on port 3260",
    },
];

/// The first known line in a log of IRIS after which trying again cannot help.
pub fn fatal(log: &str) -> Option<&'static Known> {
    log.lines().find_map(|line| IRIS.iter().find(|known| known.is(line) && known.cause != Cause::PasswordChange))
}

/// The first known line in what Longhorn or the kubelet says.
pub fn of_longhorn(text: &str) -> Option<&'static Known> {
    text.lines().find_map(|line| LONGHORN.iter().find(|known| known.is(line)))
}

/// What the lines of a log of IRIS mean, in the order of this list: each with the lines that say it.
pub fn of_iris(log: &str) -> Vec<(&'static Known, Vec<&str>)> {
    let lines = |known: &Known| -> Vec<&str> { log.lines().filter(|line| known.is(line)).collect() };
    let found = IRIS.iter().map(|known| (known, lines(known)));
    found.filter(|(_, lines)| !lines.is_empty()).collect()
}

impl Known {
    fn is(&self, line: &str) -> bool {
        self.marks.iter().any(|mark| line.contains(mark))
    }
}

/// Whether a line says that the durable directory has content and no `mgr` in it, at which IRIS refuses to start. The words
/// differ from release to release, so that it is known by what they must speak of.
pub fn is_foreign_content(line: &str) -> bool {
    let line = line.to_lowercase();
    let any = |words: &[&str]| words.iter().any(|word| line.contains(word));
    any(&["durable", "isc_data_directory"])
        && any(&["mgr"])
        && any(&["not contain", "no mgr", "missing", "not empty", "not found", "not exist", "without"])
}
