// Reads the records of the process source. Ring thread; pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "sensor/process/process_record.h"

namespace redoubt::v1 {
class Event;
}

namespace redoubt::sensor {

// RD_EXEC or RD_SEED.
struct ExecRecord {
  rd_head head{};
  rd_program program{};
  std::string executable;  // empty for a kernel thread
  std::string command_line;
  std::string directory;
  std::string tty;        // "pts/0", empty if none
  std::string cgroup;     // path in the version 2 hierarchy
  std::string cgroup_v1;  // that in a version 1 hierarchy, empty where it is its root
  std::string script;     // absolute; empty if the program was not started for one
  std::string variables;  // of the environment, those that are kept: NAME=value, one a line
  rd_context context{};
  uint32_t places = 0;  // rd_program_place
};

// Absent if the record is not whole. `record` is aligned to 8 bytes, as the rings hold it.
std::optional<ExecRecord> decode_exec(std::string_view record);
std::optional<rd_fork> decode_fork(std::string_view record);
std::optional<rd_exit> decode_exit(std::string_view record);

void describe_capabilities(const rd_context& context, v1::Event& event);
void describe_namespaces(const rd_context& context, v1::Event& event);
// What an event says only of a start: capabilities, namespaces, numbers, environment, age of the program.
void describe_start(const ExecRecord& exec, v1::Event& event);

// What a shell shows as $?: the exit status, or 128 plus the signal.
int exit_code_of(uint32_t wait_status);

}  // namespace redoubt::sensor
