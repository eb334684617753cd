#include <gtest/gtest.h>

#include "event/batch.h"
#include "event/batch_builder.h"
#include "event/entity_id.h"
#include "event/frame.h"
#include "event/json.h"
#include "redoubt/event.pb.h"

namespace redoubt::event {
namespace {

v1::Event process_event(int64_t sequence) {
  v1::Event event;
  event.set_event_type(v1::EVENT_TYPE_PROCESS);
  event.set_event_sequence(sequence);
  event.set_event_time(1'000'000);
  event.set_process_executable("/usr/bin/curl");
  event.set_process_pid(7);
  return event;
}

v1::Event host_fields() {
  v1::Event common;
  common.set_host_name("web-1");
  return common;
}

Result<Batch> round_trip(std::initializer_list<v1::Event> events) {
  FrameBuilder builder(host_fields());
  for (const v1::Event& event : events) builder.add(event);
  const Frame frame = builder.finish("boot");
  TRY(std::string bytes, open_frame(frame.payload, frame.checksum));
  return Batch::decode(std::move(bytes));
}

TEST(FieldTable, agrees_with_the_wire_contract) {
  const auto* descriptor = v1::Event::descriptor();
  EXPECT_EQ(static_cast<size_t>(descriptor->field_count()), kFieldCount);
  for (const FieldInfo& row : kFields) {
    const auto* field = descriptor->FindFieldByNumber(row.number);
    ASSERT_NE(field, nullptr) << row.name;
    EXPECT_EQ(field->name(), row.column);
    EXPECT_EQ(field->type() == google::protobuf::FieldDescriptor::TYPE_STRING,
              is_textual(row.type) && row.field != Field::event_type && row.field != Field::attributes)
        << row.name;
  }
  for (const EventTypeInfo& row : kEventTypes) {
    EXPECT_TRUE(v1::EventType_IsValid(static_cast<int>(row.type))) << row.name;
  }
  EXPECT_EQ(static_cast<size_t>(v1::EventType_descriptor()->value_count()), kEventTypes.size() + 1);
}

TEST(FieldTable, finds_names_of_every_family) {
  for (const char* name : {"process.executable", "Image", "proc.exepath", "FileFullName", "image"}) {
    const auto found = fields_named(name);
    ASSERT_FALSE(found.empty()) << name;
    EXPECT_EQ(found.front().field, Field::process_executable) << name;
  }
  EXPECT_TRUE(fields_named("EventTyp").empty());
}

TEST(FieldTable, one_alias_stands_for_several_fields_by_event_type) {
  const auto found = fields_named("FileName");
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].field, Field::process_name);
  EXPECT_EQ(found[0].on, set_of(EventType::process) | set_of(EventType::process_terminate));
  EXPECT_EQ(found[1].field, Field::file_name);
  EXPECT_EQ(found[1].on, set_of(EventType::filechange));
}

TEST(Batch, decodes_rows_with_the_common_fields) {
  const auto batch = round_trip({process_event(1), process_event(2)});
  ASSERT_TRUE(batch) << batch.error().message;
  ASSERT_EQ(batch->size(), 2U);
  const Row row = batch->row(1);
  EXPECT_EQ(row.type(), EventType::process);
  EXPECT_EQ(row.text(Field::event_type), "process");
  EXPECT_EQ(row.text(Field::host_name), "web-1");
  EXPECT_EQ(row.text(Field::process_executable), "/usr/bin/curl");
  EXPECT_EQ(row.integer(Field::process_pid), 7);
  EXPECT_EQ(row.integer(Field::event_sequence), 2);
  EXPECT_FALSE(row.get(Field::file_path).present());
}

TEST(Batch, carries_attributes_by_name) {
  FrameBuilder builder(host_fields());
  v1::Event event = process_event(1);
  v1::Attribute* attribute = event.add_attributes();
  attribute->set_name(builder.attribute_name("GrantedAccess"));
  attribute->set_value("0x1410");
  builder.add(event);
  builder.add(process_event(2));
  const Frame frame = builder.finish("boot");
  const auto batch = Batch::decode(*open_frame(frame.payload, frame.checksum));
  ASSERT_TRUE(batch) << batch.error().message;
  EXPECT_EQ(batch->row(0).attribute("GrantedAccess").text(), "0x1410");
  EXPECT_FALSE(batch->row(0).attribute("grantedaccess").present());
  EXPECT_TRUE(batch->row(1).attributes().empty());
  EXPECT_EQ(attributes_to_json(batch->row(0)), R"({"GrantedAccess":"0x1410"})");
}

TEST(Batch, refuses_attributes_without_a_name_and_too_many) {
  v1::EventBatch wire;
  *wire.add_events() = process_event(1);
  wire.mutable_events(0)->add_attributes()->set_value("x");
  EXPECT_FALSE(Batch::decode(wire.SerializeAsString()));
  // The writer of protobuf puts the names last; here they stand first, as in frames.
  v1::EventBatch names;
  names.add_attribute_names("a");
  const std::string first = names.SerializeAsString();
  EXPECT_TRUE(Batch::decode(first + wire.SerializeAsString()));
  EXPECT_FALSE(Batch::decode(first + first + wire.SerializeAsString()));
  v1::EventBatch twice = wire;
  twice.mutable_events(0)->add_attributes()->set_value("y");
  EXPECT_FALSE(Batch::decode(first + twice.SerializeAsString()));
  for (size_t i = 1; i <= kAttributesMax; ++i) {
    names.add_attribute_names("a" + std::to_string(i));
    v1::Attribute* attribute = wire.mutable_events(0)->add_attributes();
    attribute->set_name(static_cast<uint32_t>(i));
    attribute->set_value("x");
  }
  EXPECT_FALSE(Batch::decode(names.SerializeAsString() + wire.SerializeAsString()));
  wire.mutable_events(0)->mutable_attributes()->RemoveLast();
  EXPECT_TRUE(Batch::decode(names.SerializeAsString() + wire.SerializeAsString()));
}

TEST(BatchBuilder, makes_rows_like_decoded_ones) {
  BatchBuilder builder;
  builder.set(Field::process_executable, "/bin/sh");
  builder.set(Field::process_pid, 7);
  EXPECT_TRUE(builder.add_attribute("a", "1"));
  EXPECT_FALSE(builder.add_attribute("a", "2"));
  builder.finish_event(EventType::process);
  builder.set(Field::process_pid, 8);
  builder.add_attribute("b", "2");
  builder.drop_event();
  builder.add_attribute("b", "3");
  builder.finish_event(EventType::systemlog);
  const Batch batch = builder.take();
  ASSERT_EQ(batch.size(), 2U);
  EXPECT_EQ(batch.row(0).text(Field::process_executable), "/bin/sh");
  EXPECT_EQ(batch.row(0).integer(Field::process_pid), 7);
  EXPECT_EQ(batch.row(0).text(Field::event_type), "process");
  EXPECT_EQ(batch.row(0).attribute("a").text(), "1");
  EXPECT_FALSE(batch.row(1).get(Field::process_pid).present());
  EXPECT_EQ(batch.row(1).attribute("b").text(), "3");
  EXPECT_EQ(batch.row(1).type(), EventType::systemlog);
  EXPECT_EQ(builder.size(), 0U);
}

TEST(BatchBuilder, gives_each_batch_the_names_that_it_has) {
  BatchBuilder builder;
  const auto batch_of = [&](std::vector<std::string_view> names) {
    for (const std::string_view name : names) EXPECT_TRUE(builder.add_attribute(name, name));
    EXPECT_FALSE(builder.add_attribute(names.front(), "again"));
    builder.finish_event(EventType::systemlog);
    return builder.take();
  };
  const Batch first = batch_of({"a", "b", "c"});
  const Batch second = batch_of({"c", "d", "a"});
  EXPECT_EQ(std::ranges::count(second.attribute_names(), "b"), 0);
  for (const std::string_view name : {"c", "d", "a"}) EXPECT_EQ(second.row(0).attribute(name).text(), name);
  for (const std::string_view name : {"a", "b", "c"}) EXPECT_EQ(first.row(0).attribute(name).text(), name);
}

TEST(BatchBuilder, keeps_so_many_names_a_batch_whatever_came_before) {
  BatchBuilder builder;
  for (const std::string batch : {"first", "second", "third"}) {
    size_t kept = 0;
    for (size_t i = 0; i <= kAttributeNamesMax; ++i) {
      kept += builder.add_attribute(batch + std::to_string(i), "") ? 1 : 0;
      if (i % kAttributesMax == kAttributesMax - 1) builder.finish_event(EventType::systemlog);
    }
    EXPECT_EQ(kept, kAttributeNamesMax);
    EXPECT_EQ(builder.take().attribute_names().size(), kAttributeNamesMax);
  }
}

TEST(Batch, stays_valid_when_moved) {
  auto batch = round_trip({process_event(1)});
  ASSERT_TRUE(batch);
  const Batch moved = *std::move(batch);
  EXPECT_EQ(moved.row(0).text(Field::host_name), "web-1");
}

TEST(Batch, takes_numbers_that_the_node_adds) {
  Batch batch = round_trip({process_event(1), process_event(2)}).value();
  const std::string name(batch.row(1).text(Field::host_name));
  batch.add({{1, Field::prevalence_executable, 3}, {1, Field::prevalence_days, 30}});
  EXPECT_FALSE(batch.row(0).get(Field::prevalence_executable).present());
  EXPECT_EQ(batch.row(1).integer(Field::prevalence_executable), 3);
  EXPECT_EQ(batch.row(1).integer(Field::prevalence_days), 30);
  EXPECT_EQ(batch.row(1).text(Field::host_name), name);
  EXPECT_EQ(batch.notes().size(), 2u);
}

TEST(Batch, refuses_malformed_bytes_and_names_the_event) {
  EXPECT_FALSE(Batch::decode("\x1a\x7f"));
  EXPECT_FALSE(Batch::decode("garbage"));
  v1::EventBatch wire;
  *wire.add_events() = process_event(2);
  *wire.add_events() = process_event(2);
  EXPECT_EQ(Batch::decode(wire.SerializeAsString()).error().message, "event 1: sequence numbers do not rise");
  wire.mutable_events(1)->clear_event_type();
  EXPECT_EQ(Batch::decode(wire.SerializeAsString()).error().message, "event 1 has no type, sequence number or time");
}

// Every repeat of a text that is not UTF-8 would be kept, at many times its bytes.
TEST(Batch, refuses_fields_that_come_twice) {
  const std::string event = process_event(1).SerializeAsString();
  const auto sized = [](char tag, const std::string& text) {
    return std::string(1, tag) + static_cast<char>(text.size()) + text;
  };
  ASSERT_LT(2 * event.size(), 128U);  // a length of one byte
  v1::Event named;
  named.set_host_name("x");
  const std::string host = named.SerializeAsString();
  EXPECT_TRUE(Batch::decode(sized('\x12', host) + sized('\x1a', event)));
  EXPECT_FALSE(Batch::decode(sized('\x12', host + host) + sized('\x1a', event)));
  EXPECT_FALSE(Batch::decode(sized('\x12', host) + sized('\x12', host) + sized('\x1a', event)));
  EXPECT_FALSE(Batch::decode(sized('\x1a', event + event)));
}

TEST(Batch, refuses_another_schema_and_too_many_events) {
  v1::EventBatch wire;
  wire.set_schema(2);
  EXPECT_EQ(Batch::decode(wire.SerializeAsString()).error().code, Errc::unsupported);
  wire.set_schema(1);
  for (size_t i = 0; i <= kBatchEventsMax; ++i) *wire.add_events() = process_event(static_cast<int64_t>(i + 1));
  EXPECT_FALSE(Batch::decode(wire.SerializeAsString()));
}

TEST(Frame, notices_damage_and_bombs) {
  FrameBuilder builder(host_fields());
  builder.add(process_event(1));
  Frame frame = builder.finish("boot");
  frame.payload[frame.payload.size() / 2] ^= 1;
  EXPECT_EQ(open_frame(frame.payload, frame.checksum).error().code, Errc::corrupt);
  EXPECT_FALSE(open_frame("not zstd", frame_checksum("not zstd")));
}

TEST(Frame, records_survive_a_torn_tail) {
  FrameBuilder builder(host_fields());
  builder.add(process_event(1));
  const std::string record = encode_record(builder.finish("boot"));
  const std::string file = record + record.substr(0, record.size() - 1);
  std::string_view rest = file;
  const auto first = take_record(rest);
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(first->last_sequence, 1U);
  EXPECT_EQ(take_record(rest).error().code, Errc::corrupt);
  std::string_view none;
  EXPECT_EQ(take_record(none).error().code, Errc::not_found);
}

TEST(EntityId, tells_processes_apart) {
  const std::string id = process_entity_id("host", "boot", 7, 100);
  EXPECT_EQ(id.size(), 32U);
  EXPECT_EQ(id, process_entity_id("host", "boot", 7, 100));
  EXPECT_NE(id, process_entity_id("host", "boot", 7, 101));
  EXPECT_NE(id, process_entity_id("host", "boot2", 7, 100));
}

TEST(Json, writes_canonical_names_and_times) {
  const auto batch = round_trip({process_event(1)});
  ASSERT_TRUE(batch);
  EXPECT_EQ(
      to_json(batch->row(0)),
      R"({"event.type":"process","event.sequence":1,"@timestamp":"1970-01-01T00:00:01.000000Z","host.name":"web-1",)"
      R"("process.pid":7,"process.executable":"/usr/bin/curl"})");
}

}  // namespace
}  // namespace redoubt::event
