// SPDX-License-Identifier: GPL-2.0
// The md thread is gone before leave() is called: the receiving thread depends on that thread's wait queue until leave()
// has ended it. So it was in e151db8ecfb0, reverted by 1d258758cf06.
//
// Changes: md.c

@@
expression mddev;
@@
 __md_stop(...)
 {
	...
-	md_bitmap_destroy(mddev);
	mddev_detach(mddev);
+	md_bitmap_destroy(mddev);
	...
 }

// Since 6.12 the bitmap's functions are called through a table.
@@
expression mddev;
@@
 __md_stop(...)
 {
	...
-	mddev->bitmap_ops->destroy(mddev);
	mddev_detach(mddev);
+	mddev->bitmap_ops->destroy(mddev);
	...
 }
