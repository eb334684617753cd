// Files, names, mounts and what is known of them, as the kernel has them; see kernel.h.
#pragma once

#include <linux/types.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
  __u32 val;
} kuid_t;
typedef struct {
  __u32 val;
} kgid_t;

struct qstr {
  union {
    struct {
      __u32 hash;
      __u32 len;
    };
    __u64 hash_len;
  };
  const unsigned char* name;
};

struct timespec64 {
  __s64 tv_sec;
  long tv_nsec;
};

typedef struct {
  __s64 counter;
} atomic_long_t;

typedef struct {
  atomic_long_t refcnt;
} file_ref_t;

struct super_block {
  __u32 s_dev;
  unsigned long s_magic;
};

struct inode {
  __u16 i_mode;
  __u32 i_nlink;
  kuid_t i_uid;
  kgid_t i_gid;
  __u32 i_rdev;
  struct super_block* i_sb;
  unsigned long i_ino;
  __s64 i_size;
  void* i_private;
  __s64 i_mtime_sec;
  __u32 i_mtime_nsec;
  __s64 i_ctime_sec;
  __u32 i_ctime_nsec;
};

struct inode___before_6_11 {
  struct timespec64 __i_mtime;
  struct timespec64 __i_ctime;
};

struct inode___before_6_7 {
  struct timespec64 i_mtime;
};

struct inode___before_6_6 {
  struct timespec64 i_ctime;
};

struct dentry {
  struct dentry* d_parent;
  struct qstr d_name;
  struct inode* d_inode;
};

struct vfsmount {
  struct dentry* mnt_root;
};

struct mount {
  struct mount* mnt_parent;
  struct dentry* mnt_mountpoint;
  struct vfsmount mnt;
};

struct path {
  struct vfsmount* mnt;
  struct dentry* dentry;
};

struct sockaddr_un {
  char sun_path[108];
};

struct unix_address {
  int len;  // of `name`, the family included
  struct sockaddr_un name[];
};

// Of the sockets that are bound to a path, or to a name of their own.
struct unix_sock {
  struct unix_address* addr;
  struct path path;
  struct sock* peer;
};

struct file___before_6_13 {
  atomic_long_t f_count;
};

struct file {
  file_ref_t f_ref;
  __u32 f_mode;
  __u32 f_flags;
  struct path f_path;
  struct inode* f_inode;
  void* private_data;
};

struct fdtable {
  unsigned int max_fds;
  struct file** fd;
};

struct files_struct {
  struct fdtable* fdt;
};

struct fs_struct {
  int umask;
  struct path root;
  struct path pwd;
};

#pragma clang attribute pop
