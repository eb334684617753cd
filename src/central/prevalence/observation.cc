#include "central/prevalence/observation.h"

#include <xxhash.h>

#include <string>
#include <string_view>

#include "base/text.h"
#include "central/prevalence/command_shape.h"

namespace redoubt::central {

namespace {

using event::Field;

// Texts are kept apart: "ab" and "c" are not "a" and "bc".
template <class... Texts>
uint64_t key_of(Field field, const Texts&... texts) {
  std::string key;
  ((key.append(texts), key.push_back('\0')), ...);
  return XXH3_64bits_withSeed(key.data(), key.size(), static_cast<uint64_t>(event::info(field).number));
}

void observe_process(const event::Row& row, uint32_t index, std::vector<Observation>& observed) {
  const std::string_view program = row.text(Field::process_executable);
  if (program.empty()) return;
  const auto add = [&](Field field, uint64_t key) { observed.push_back({.row = index, .field = field, .key = key}); };
  const std::string_view hash = row.text(Field::process_hash_sha256);
  add(Field::prevalence_executable, key_of(Field::prevalence_executable, hash.empty() ? program : hash));
  if (const std::string_view line = row.text(Field::process_command_line); !line.empty()) {
    add(Field::prevalence_command_line, key_of(Field::prevalence_command_line, program, command_shape(line)));
  }
  if (const std::string_view parent = row.text(Field::process_parent_executable); !parent.empty()) {
    add(Field::prevalence_parent, key_of(Field::prevalence_parent, parent, program));
  }
}

void observe_destination(const event::Row& row, uint32_t index, std::vector<Observation>& observed) {
  const std::string_view address = row.text(Field::destination_ip);
  if (address.empty() || row.text(Field::network_direction) != "outbound") return;
  const std::string port = std::to_string(row.integer(Field::destination_port));
  observed.push_back({.row = index,
                      .field = Field::prevalence_destination,
                      .key = key_of(Field::prevalence_destination, address, port)});
}

void observe_name(const event::Row& row, uint32_t index, std::vector<Observation>& observed) {
  const std::string_view name = row.text(Field::dns_question_name);
  if (name.empty() || row.text(Field::event_action) != "query") return;
  observed.push_back({.row = index,
                      .field = Field::prevalence_destination,
                      .key = key_of(Field::prevalence_destination, base::fold_case(name))});
}

}  // namespace

std::vector<Observation> observations_of(const event::Batch& batch) {
  std::vector<Observation> observed;
  for (uint32_t i = 0; i < batch.size(); ++i) {
    const event::Row row = batch.row(i);
    switch (row.type()) {
      case event::EventType::process: observe_process(row, i, observed); break;
      case event::EventType::connection: observe_destination(row, i, observed); break;
      case event::EventType::dns: observe_name(row, i, observed); break;
      default: break;
    }
  }
  return observed;
}

}  // namespace redoubt::central
