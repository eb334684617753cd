#include "store/events/move_events.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <nlohmann/json.hpp>
#include <thread>

#include "redoubt/event.pb.h"

namespace redoubt::store {

namespace {

using event::Field;
using query::Expression;
using query::Operator;

constexpr uint32_t kPageRows = 16'000;   // read at once
constexpr uint32_t kFrameEvents = 1000;  // written at once
constexpr size_t kFrameBytes = size_t{4} << 20;
constexpr uint64_t kSealEvents = 64'000;
constexpr int kSealTries = 60;
constexpr auto kSealAgainAfter = std::chrono::seconds(1);
const HuntLimits kNoHurry{.time_ms_max = std::numeric_limits<int32_t>::max(), .cancelled = {}};

Result<Expression> events_of(const std::string& host, const std::string& boot, uint64_t above) {
  std::vector<Expression> tests;
  tests.push_back(Expression::test(Field::host_id, Operator::equal, {host}));
  tests.push_back(Expression::test(Field::host_boot_id, Operator::equal, {boot}));
  tests.push_back(Expression::test(Field::event_sequence, Operator::greater, {static_cast<int64_t>(above)}));
  return query::normalize(Expression::all_of(std::move(tests)));
}

void set_field(v1::Event& event, const event::FieldInfo& info, const Cell& cell) {
  const auto* descriptor = v1::Event::descriptor()->FindFieldByNumber(info.number);
  if (const auto* text = std::get_if<std::string>(&cell)) {
    event.GetReflection()->SetString(&event, descriptor, *text);
  } else if (const auto* number = std::get_if<int64_t>(&cell)) {
    event.GetReflection()->SetInt64(&event, descriptor, *number);
  }
}

void add_attributes(v1::Event& event, event::FrameBuilder& builder, const std::string& object) {
  const auto attributes = nlohmann::ordered_json::parse(object, nullptr, false);
  if (!attributes.is_object()) return;
  for (const auto& [name, value] : attributes.items()) {
    if (!value.is_string()) continue;
    v1::Attribute& attribute = *event.add_attributes();
    attribute.set_name(builder.attribute_name(name));
    attribute.set_value(value.get<std::string>());
  }
}

// A row of all fields as the agent sent it; the store says itself which host and boot it is of.
v1::Event event_of(const std::vector<Cell>& row, event::FrameBuilder& builder) {
  v1::Event event;
  for (const event::FieldInfo& info : event::kFields) {
    const Cell& cell = row.at(static_cast<size_t>(info.field));
    const auto* text = std::get_if<std::string>(&cell);
    switch (info.field) {
      case Field::host_id:
      case Field::host_boot_id: break;
      case Field::event_type:
        if (const auto type = event::event_type_named(text != nullptr ? *text : std::string())) {
          event.set_event_type(static_cast<v1::EventType>(*type));
        }
        break;
      case Field::attributes:
        if (text != nullptr) add_attributes(event, builder, *text);
        break;
      default: set_field(event, info, cell);
    }
  }
  return event;
}

class Mover {
 public:
  Mover(EventStore& from, EventStore& to, const std::function<void(uint64_t)>& moved)
      : from_(from), to_(to), moved_(moved) {}

  Result<MoveReport> go() {
    TRY_STATUS(from_.replay_unjudged([](const std::string& host, const event::Batch&) -> Status {
      return fail(Errc::invalid_argument, "events of host " + host +
                                              " were stored and not judged yet: start the node as it was once more, "
                                              "and stop it");
    }));
    for (const HostActivity& host : from_.activity()) {
      TRY(const auto boots, boots_of(from_, host.host_id));
      for (const auto& [boot, count] : boots) TRY_STATUS(move_boot(host.host_id, boot));
      ++report_.hosts;
    }
    TRY_STATUS(seal());
    for (const HostActivity& host : from_.activity()) TRY_STATUS(compare(host.host_id));
    return std::move(report_);
  }

 private:
  using Boots = std::vector<std::pair<std::string, uint64_t>>;

  // With how many events.
  Result<Boots> boots_of(EventStore& store, const std::string& host) {
    query::Hunt hunt;
    TRY(hunt.where, query::normalize(Expression::test(Field::host_id, Operator::equal, {host})));
    hunt.aggregate = query::Distinct{Field::host_boot_id};
    hunt.limit = std::numeric_limits<int32_t>::max();
    TRY(const HuntResult found, store.hunt(hunt, kNoHurry));
    note(found);
    Boots boots;
    for (const auto& row : found.rows) {
      boots.emplace_back(std::get<std::string>(row.at(0)), static_cast<uint64_t>(std::get<int64_t>(row.at(1))));
    }
    return boots;
  }

  Status move_boot(const std::string& host, const std::string& boot) {
    uint64_t last = to_.stored_sequence(host, boot);
    while (true) {
      query::Hunt page;
      TRY(page.where, events_of(host, boot, last));
      page.sort = Field::event_sequence;
      page.direction = query::Direction::ascending;
      page.limit = kPageRows;
      TRY(const HuntResult found, from_.hunt(page, kNoHurry));
      note(found);
      if (found.rows.empty()) return {};
      TRY_STATUS(write(host, boot, found.rows));
      last = to_.stored_sequence(host, boot);
      if (found.rows.size() < kPageRows) return {};
    }
  }

  Status write(const std::string& host, const std::string& boot, const std::vector<std::vector<Cell>>& rows) {
    event::FrameBuilder builder{v1::Event()};
    for (const auto& row : rows) {
      builder.add(event_of(row, builder));
      const bool is_full = builder.events() >= kFrameEvents || builder.bytes() >= kFrameBytes;
      if (is_full) TRY_STATUS(append(host, builder.finish(boot)));
    }
    return builder.events() > 0 ? append(host, builder.finish(boot)) : Status{};
  }

  Status append(const std::string& host, const event::Frame& frame) {
    TRY(std::string bytes, event::open_frame(frame.payload, frame.checksum));
    TRY(const event::Batch batch, event::Batch::decode(std::move(bytes)));
    TRY(const Appended done, to_.append(host, frame, batch));
    TRY_STATUS(to_.mark_judged(host, frame.boot_id, frame.last_sequence));
    report_.events_moved += done.events_new;
    unsealed_ += done.events_new;
    if (unsealed_ < kSealEvents) return {};
    unsealed_ = 0;
    moved_(report_.events_moved);
    return seal();
  }

  // Servers that are away or slow for a moment do not end a move of hours.
  Status seal() {
    Status sealed = to_.seal();
    for (int i = 0; i < kSealTries && !sealed; ++i) {
      std::this_thread::sleep_for(kSealAgainAfter);
      sealed = to_.seal();
    }
    return sealed;
  }

  Status compare(const std::string& host) {
    TRY(const Boots there, boots_of(from_, host));
    TRY(const Boots here, boots_of(to_, host));
    for (const auto& [boot, count] : there) {
      const auto found = std::find_if(here.begin(), here.end(), [&](const auto& each) { return each.first == boot; });
      const uint64_t moved = found == here.end() ? 0 : found->second;
      if (moved != count) {
        return fail(Errc::corrupt, "host " + host + ", boot " + boot + ": " + std::to_string(count) +
                                       " events were there and " + std::to_string(moved) + " are here");
      }
      report_.events += moved;
    }
    return {};
  }

  // A damaged part of the store is left behind; the rest goes.
  void note(const HuntResult& found) {
    const bool is_known = std::any_of(report_.left_behind.begin(), report_.left_behind.end(),
                                      [&](const Damage& damage) { return damage.why == found.partial_why; });
    if (found.partial && !is_known) report_.left_behind.push_back({.what = "event store", .why = found.partial_why});
  }

  EventStore& from_;
  EventStore& to_;
  const std::function<void(uint64_t)>& moved_;
  MoveReport report_;
  uint64_t unsealed_ = 0;
};

}  // namespace

Result<MoveReport> move_events(EventStore& from, EventStore& to, const std::function<void(uint64_t)>& moved) {
  return Mover(from, to, moved).go();
}

}  // namespace redoubt::store
