// Who started whom, wrote what, spoke to whom: the neighbours of one process, file, address, domain or host, from
// stored events of a time span. A map is drawn by asking for one node after another. Events may come from a hostile
// agent: all that is read and answered has limits. Blocks while the store works; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "store/events/event_store.h"

namespace redoubt::central {

enum class MapKind : uint8_t { process, file, address, domain, host };
std::string_view name_of(MapKind kind);
std::optional<MapKind> map_kind_named(std::string_view name);

// What the one that acts does to the other.
enum class MapRelation : uint8_t {
  started,
  ran,
  wrote,
  read,
  loaded,
  connected,
  accepted,
  looked_up,
  resolved,
  acted_on,
  hosts
};
std::string_view name_of(MapRelation relation);
constexpr size_t kMapRelations = 11;

struct MapNode {
  MapKind kind = MapKind::process;
  std::string id;       // entity id, path, address, name, host id
  std::string host_id;  // of processes and files
  std::string host_name;
  std::string name;  // of a process or host
  // Of processes, where known.
  int64_t pid = 0;
  std::string executable, command_line, user;
  base::Time start;  // 0: not known
};

// Who acts: the node that was asked about, or the neighbour.
enum class MapDirection : uint8_t { out, in };

struct MapNeighbour {
  MapNode node;
  MapRelation relation{};
  MapDirection direction{};
  int64_t count = 0;  // events; those that stand for several count as such
  base::Time first, last;
  std::vector<std::string> notes;  // actions, ports, signals; a few of them
};

struct MapAnswer {
  MapNode node;
  std::vector<MapNeighbour> neighbours;          // by relation, the earliest first
  std::array<size_t, 2 * kMapRelations> more{};  // that were found beside them: [2 * relation + direction]
  bool partial = false;  // not all events were looked at: there may be others, counts are too low
};

constexpr uint32_t kMapNeighboursDefault = 200;
constexpr uint32_t kMapNeighboursMax = 2'000;

struct MapRequest {
  MapKind kind = MapKind::process;
  std::string id;
  std::string host_id;  // of files needed; of processes quicker
  std::optional<base::Time> since, until;
  uint32_t limit = kMapNeighboursDefault;  // a relation and direction
};

// not_found where no stored event knows the process.
Result<MapAnswer> neighbours_of(store::EventStore& events, const MapRequest& request);

}  // namespace redoubt::central
