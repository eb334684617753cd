#include "event/entity_id.h"

#include <xxhash.h>

#include "base/hash.h"

namespace redoubt::event {

std::string process_entity_id(std::string_view host_id, std::string_view boot_id, int64_t pid, uint64_t start_ns) {
  std::string key;
  key.reserve(host_id.size() + boot_id.size() + 42);
  key.append(host_id).append("/").append(boot_id).append("/");
  key.append(std::to_string(pid)).append("/").append(std::to_string(start_ns));
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits(key.data(), key.size()));
  return base::to_hex(std::string_view(reinterpret_cast<const char*>(canonical.digest), sizeof canonical.digest));
}

}  // namespace redoubt::event
