#include "event/dialect/dialect.h"

#include "event/dialect/ecs.h"
#include "event/dialect/falco_record.h"
#include "event/dialect/record.h"
#include "event/dialect/windows.h"

namespace redoubt::event::dialect {

namespace {

// Our own events as to_json() writes them: canonical names, attributes behind their prefix.
class OwnReader {
 public:
  static bool knows(const Record& record) {
    return event_type_named(record.find("event.type")).has_value() && record.has("@timestamp");
  }

  void add(const Record& record, BatchBuilder& batch) {
    const EventType type = *event_type_named(record.find("event.type"));
    for (const Member& member : record.members()) {
      if (member.name.starts_with(kAttributePrefix)) {
        batch.add_attribute(member.name.substr(kAttributePrefix.size()), member.text);
      } else if (member.name != info(Field::event_type).name) {
        map_.add(member.name, member, type, batch);
      }
    }
    batch.finish_event(type);
  }

 private:
  MemberMap map_{NameFamily::canonical};
};

// A log that says nothing of itself, under the names that it was announced by.
class NamedLogReader {
 public:
  explicit NamedLogReader(NamedLog log) : log_(std::move(log)) {}

  bool named() const { return log_.named(); }

  void add(const Record& record, BatchBuilder& batch) {
    if (!log_.product.empty()) batch.set(Field::log_product, log_.product);
    if (!log_.service.empty()) batch.set(Field::log_service, log_.service);
    if (!log_.category.empty()) batch.set(Field::log_category, log_.category);
    for (const Member& member : record.members()) map_.add(member.name, member, EventType::systemlog, batch);
    batch.finish_event(EventType::systemlog);
  }

 private:
  NamedLog log_;
  MemberMap map_{NameFamily::sigma};
};

constexpr auto kDialects = std::to_array<DialectInfo>({
    {"redoubt", "our own events, as hunts and alerts show them in JSON"},
    {"windows", "Windows event logs and Sysmon: flat (NXLog, Logstash), nested as their XML, Winlogbeat"},
    {"falco", "alerts of Falco (json_output)"},
    {"ecs", "documents after the Elastic Common Schema"},
});

}  // namespace

std::span<const DialectInfo> dialects() { return kDialects; }

class Reader::Impl {
 public:
  explicit Impl(NamedLog otherwise) : named_(std::move(otherwise)) {}

  Status add(std::string_view text, BatchBuilder& batch) {
    TRY(const Record record, parser_.parse(text));
    if (OwnReader::knows(record)) {
      own_.add(record, batch);
    } else if (const auto heads = windows_.heads_of(record)) {
      windows_.add(record, *heads, batch);
    } else if (FalcoReader::knows(record)) {
      falco_.add(record, batch);
    } else if (EcsReader::knows(record)) {
      ecs_.add(record, batch);
    } else if (named_.named()) {
      named_.add(record, batch);
    } else {
      return fail(Errc::invalid_argument, "record is of no dialect that is known here, and its log has no name");
    }
    return {};
  }

 private:
  RecordParser parser_;
  OwnReader own_;
  WindowsReader windows_;
  FalcoReader falco_;
  EcsReader ecs_;
  NamedLogReader named_;
};

Reader::Reader(NamedLog otherwise) : impl_(std::make_unique<Impl>(std::move(otherwise))) {}
Reader::~Reader() = default;
Reader::Reader(Reader&&) noexcept = default;
Reader& Reader::operator=(Reader&&) noexcept = default;

Status Reader::add(std::string_view record, BatchBuilder& batch) { return impl_->add(record, batch); }

}  // namespace redoubt::event::dialect
