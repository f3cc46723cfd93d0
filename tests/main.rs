//! The one test binary: the program as its users meet it, on the simulator and on a real cluster.

mod accounts;
mod addresses;
mod architecture;
mod doctor;
mod faults;
mod foreign;
mod golden;
mod killed;
mod kind;
mod kubectl;
mod locks;
mod longhorn;
mod microk8s;
mod neighbours;
mod original;
mod probe;
mod reach;
mod render;
mod resize;
mod scenario;
mod shell;
mod support;
mod timeline;
mod usage;
