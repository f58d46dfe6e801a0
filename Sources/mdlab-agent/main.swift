// SPDX-License-Identifier: GPL-2.0
import CGuest
import GuestProtocol
