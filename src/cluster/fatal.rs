//! Lines in logs, events and errors after which trying again cannot help, and what they mean: those of IRIS, and those of Longhorn.

/// A known line.
pub(super) struct Fatal {
    /// What the line holds.
    mark: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// What to do.
    pub hint: &'static str,
}

const IRIS: &[Fatal] = &[
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

/// Sources: the manager's and the engine's code at v1.2.6, and open-iscsi's messages as users of Longhorn report them.
const LONGHORN: &[Fatal] = &[
    Fatal {
        mark: "iscsiadm/open-iscsi",
        meaning: "the node has no iscsiadm, and Longhorn attaches volumes by iSCSI",
        hint: "install open-iscsi on that node (the package is iscsi-initiator-utils on Red Hat's systems), then run it again",
    },
    Fatal {
        mark: "no related proc for root-dir detection",
        meaning: "Longhorn cannot find out the kubelets' root directory: no process of the node is called kubelet",
        hint: "name the directory: kubectl set env -n longhorn-system deployment/longhorn-driver-deployer \
               KUBELET_ROOT_DIR=/var/lib/kubelet (or where your kubelets keep it), then run it again",
    },
    Fatal {
        mark: "sendmsg: bug? ctrl_fd",
        meaning: "iscsid cannot reach the kernel: iSCSI's netlink socket exists only in the host's own network namespace, and this \
                  node has another one (it is a container)",
        hint: "use nodes that are machines (microk8s, or virtual machines) instead of containers, or leave Longhorn out",
    },
    Fatal {
        mark: "can not connect to iSCSI daemon",
        meaning: "iscsid does not run on the node; where nodes are containers it cannot run",
        hint: "start it on the node: systemctl enable --now iscsid; nodes that are containers cannot use Longhorn",
    },
    Fatal {
        mark: "could not find module by name='iscsi_tcp'",
        meaning: "the node's kernel has no module iscsi_tcp",
        hint: "load it on the node: modprobe iscsi_tcp (the kernels of WSL2 and Docker Desktop have none)",
    },
    Fatal {
        mark: "NETLINK_ISCSI socket [Protocol not supported]",
        meaning: "the node's kernel knows no iSCSI: its module iscsi_tcp is missing",
        hint: "load it on the node: modprobe iscsi_tcp (the kernels of WSL2 and Docker Desktop have none)",
    },
    Fatal {
        mark: "already mounted or mount point busy",
        meaning: "something else holds the volume's disk on the node: most often multipathd, which takes every sd* device",
        hint: "on the node, disable multipathd.service and multipathd.socket, or blacklist devnode \"^sd[a-z0-9]+\" in \
               /etc/multipath.conf and restart it",
    },
    Fatal {
        mark: "No route to host",
        meaning: "the node cannot reach the volume's pod: a firewall is in the way, or iSCSI is bound to another network interface",
        hint: "on the node, look at `iscsiadm -m iface` and at the firewall: pods must be reachable on port 3260",
    },
];

/// The first known line in a log of IRIS.
pub(super) fn find(log: &str) -> Option<&'static Fatal> {
    first(IRIS, log)
}

/// The first known line in what Longhorn or the kubelet says.
pub(super) fn of_longhorn(text: &str) -> Option<&'static Fatal> {
    first(LONGHORN, text)
}

fn first(known: &'static [Fatal], log: &str) -> Option<&'static Fatal> {
    log.lines().find_map(|line| known.iter().find(|fatal| line.contains(fatal.mark)))
}
