select row()
