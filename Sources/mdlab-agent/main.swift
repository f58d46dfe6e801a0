// SPDX-License-Identifier: GPL-2.0
import CLinux
import Glibc
import GuestProtocol

// PID 1 of a node. It brings the node up, then does what the host asks over a virtio-serial port.
//
// It is static and does without Foundation, so that the initramfs stays small. It never exits: the kernel would panic.

signal(SIGPIPE, SIG_IGN)
Boot.mountFileSystems()
let boot = Boot.parameters()
if let failure = Boot.insertModules(listedIn: "/modules/order") { Boot.give(up: failure) }
guard let descriptor = Boot.openPort(named: "mdlab.agent") else { Boot.give(up: "no virtio-serial port mdlab.agent") }

let port = Port(descriptor: descriptor)
let processes = Processes()
let devices = DeviceEvents(port: port, processes: processes)
port.send(.stage("init", uptime: boot.uptimeAtStart))
port.send(.stage("modules", uptime: Boot.uptime()))
processes.startReaping()
KernelLog(port: port).start()
devices.start()
Thread.start { ClusterServices(port: port, processes: processes, boot: boot).bringUp() }
Agent(port: port, processes: processes, devices: devices, node: boot.node).serve()
