// The policy that holds now, for all programs.
#pragma once

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "sensor/filter_record.h"

enum { RD_HALVES = 2 };

// A bit a rd_file_action that the policy does not want: for programs that no table of calls leaves out.
volatile __u32 actions_off __weak = 0;
volatile __u32 policy_now __weak = 0;  // filter_record.h says what its bits are
