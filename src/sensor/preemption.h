// Whether a program at a function of the kernel can be preempted by another on its processor. Handlers of system calls
// share scratch space with no more than a processor's number, so they stand at functions only where it cannot.
#pragma once

#include <string>
#include <string_view>

namespace redoubt::sensor {

// preempt_dynamic_mode of the running kernel; negative where it cannot be read.
int preemption_mode();
// Why they can be preempted on a kernel of this version, as uname gives it, and in this mode; empty if they cannot.
std::string why_preemptible(std::string_view version, int mode);

}  // namespace redoubt::sensor
