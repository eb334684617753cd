#include "sensor/kernel_change/kernel_change_decode.h"

#include <gtest/gtest.h>
#include <sys/syscall.h>

#include <cstddef>
#include <cstring>
#include <vector>

#include "redoubt/event.pb.h"
#include "sensor/kernel_change/kernel_change_record.h"

namespace redoubt::sensor {
namespace {

using std::string_literals::operator""s;

// A record as the kernel side writes it, in memory aligned like a ring.
struct RawChange {
  std::vector<uint64_t> space = std::vector<uint64_t>(sizeof(rd_kernel) / 8 + 1);
  rd_kernel& record = *reinterpret_cast<rd_kernel*>(space.data());
  size_t used = 0;

  uint16_t put(const std::string& bytes) {
    memcpy(record.data + used, bytes.data(), bytes.size());
    used += bytes.size();
    return static_cast<uint16_t>(bytes.size());
  }
  std::string_view view() const {
    return {reinterpret_cast<const char*>(space.data()), offsetof(rd_kernel, data) + used};
  }
};

RawChange mount_record() {
  RawChange raw;
  raw.record.call.number = SYS_mount;
  raw.record.base_bytes = raw.put("srv\0"s);
  raw.record.target_bytes = raw.put("./a/../b\xff\0"s);
  raw.record.source_bytes = raw.put("/dev/sda1\0"s);
  raw.record.name_bytes = raw.put("ext4\0"s);
  return raw;
}

TEST(KernelChangeDecode, reads_a_mount) {
  v1::Event event;
  ASSERT_EQ(decode_kernel_change(mount_record().view(), event), Decoded::yes);
  EXPECT_EQ(event.event_type(), v1::EVENT_TYPE_MOUNT);
  EXPECT_EQ(event.event_action(), "mount");
  EXPECT_EQ(event.file_path(), "/srv/b\\xff");
  EXPECT_EQ(event.file_name(), "b\\xff");
  EXPECT_EQ(event.file_directory(), "/srv");
  EXPECT_EQ(event.mount_source(), "/dev/sda1");
  EXPECT_EQ(event.mount_type(), "ext4");
}

TEST(KernelChangeDecode, refuses_every_cut) {
  const RawChange raw = mount_record();
  v1::Event event;
  for (size_t size = 0; size < raw.view().size(); ++size) {
    EXPECT_EQ(decode_kernel_change(raw.view().substr(0, size), event), Decoded::malformed) << size;
  }
}

TEST(KernelChangeDecode, reads_the_file_and_the_name_of_modules) {
  RawChange loaded;
  loaded.record.call.number = SYS_finit_module;
  loaded.record.base_bytes = loaded.put("rootkit.ko\0tmp\0"s);
  v1::Event event;
  ASSERT_EQ(decode_kernel_change(loaded.view(), event), Decoded::yes);
  EXPECT_EQ(event.event_type(), v1::EVENT_TYPE_MODULE);
  EXPECT_EQ(event.event_action(), "finit_module");
  EXPECT_EQ(event.file_path(), "/tmp/rootkit.ko");
  RawChange removed;
  removed.record.call = {.number = 129, .compat = 1};
  removed.record.name_bytes = removed.put("rootkit\0"s);
  v1::Event other;
  ASSERT_EQ(decode_kernel_change(removed.view(), other), Decoded::yes);
  EXPECT_EQ(other.event_action(), "delete_module");
  EXPECT_EQ(other.module_name(), "rootkit");
}

TEST(KernelChangeDecode, reads_new_kernels) {
  RawChange raw;
  raw.record.call.number = SYS_kexec_file_load;
  raw.record.base_bytes = raw.put("vmlinuz\0boot\0"s);
  v1::Event event;
  ASSERT_EQ(decode_kernel_change(raw.view(), event), Decoded::yes);
  EXPECT_EQ(event.event_type(), v1::EVENT_TYPE_KERNEL);
  EXPECT_EQ(event.file_path(), "/boot/vmlinuz");
  raw.record.call.number = SYS_kexec_load;
  v1::Event bare;
  ASSERT_EQ(decode_kernel_change(raw.view(), bare), Decoded::yes);
  EXPECT_EQ(bare.event_action(), "kexec_load");
}

TEST(KernelChangeDecode, numbers_program_types_without_a_name) {
  RawChange raw;
  raw.record.call.number = SYS_bpf;
  raw.record.program_type = 1000;
  v1::Event event;
  ASSERT_EQ(decode_kernel_change(raw.view(), event), Decoded::yes);
  EXPECT_EQ(event.bpf_program_type(), "1000");
  EXPECT_FALSE(event.has_bpf_program_name());
}

TEST(KernelChangeDecode, refuses_calls_of_other_sources) {
  RawChange raw = mount_record();
  raw.record.call.number = SYS_setuid;
  v1::Event event;
  EXPECT_EQ(decode_kernel_change(raw.view(), event), Decoded::malformed);
}

}  // namespace
}  // namespace redoubt::sensor
